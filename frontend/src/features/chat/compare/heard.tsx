import { letter } from "./column";
import type { ComparedAnswer } from "./compare-api";

/** What a screen reader says of several answers at once: not their words, which would run into each other, but who has ended. */
export function Heard({ answers }: { answers: readonly Pick<ComparedAnswer, "side" | "status">[] }) {
  return (
    <p role="status" className="sr-only">
      {heard(answers)}
    </p>
  );
}

export function heard(answers: readonly Pick<ComparedAnswer, "side" | "status">[]): string {
  const of = (wanted: (status: string) => boolean) =>
    answers.filter(({ status }) => wanted(status)).map(({ side }) => letter(side));
  const running = of((status) => status === "running");
  const good = of((status) => status === "ok");
  const bad = of((status) => status !== "running" && status !== "ok");
  return [
    running.length ? `${running.length} of ${answers.length} answers are being written.` : "All answers have ended.",
    good.length ? `Complete: ${good.join(", ")}.` : "",
    bad.length ? `Not complete: ${bad.join(", ")}.` : "",
  ]
    .filter(Boolean)
    .join(" ");
}
