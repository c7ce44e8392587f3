import type { Evaluation } from "./evaluations-api";

const reasons: Record<string, string> = {
  budget: "Stopped before the budget was crossed:",
  payment_required: "Stopped, because the balance was used up:",
  stopped: "Stopped by you:",
  interrupted: "Stopped, because the server was restarted:",
};

/** How an evaluation stands, as the beginning of a sentence. */
export function stateWords({ state, reason }: Pick<Evaluation, "state" | "reason">): string {
  if (state === "running") return "Running:";
  if (state === "done") return "Done:";
  return reasons[reason ?? ""] ?? `Ended early (${reason ?? state}):`;
}
