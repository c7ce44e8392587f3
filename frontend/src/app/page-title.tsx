const LONGEST = 60;

/** The title of the browser's tab, its history and its bookmarks; a screen reader says it first. */
export function PageTitle({ children }: { children: string }) {
  const words = children.length > LONGEST ? `${children.slice(0, LONGEST)}…` : children;
  return <title>{`${words} · AI Agent Marketplace`}</title>;
}
