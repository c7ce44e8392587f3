import { plainName } from "@/shared/lib/plain-name";

const LONGEST = 60;

/** The title of the browser's tab, its history and its bookmarks; a screen reader says it first. */
export function PageTitle({ children }: { children: string }) {
  const characters = [...plainName(children)];
  const words = characters.length > LONGEST ? `${characters.slice(0, LONGEST).join("")}…` : characters.join("");
  return <title>{`${words} · AI Agent Marketplace`}</title>;
}
