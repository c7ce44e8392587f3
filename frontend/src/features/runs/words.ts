import type { Run, RunStep } from "./runs-api";

const states: Record<Run["state"], string> = {
  running: "Running",
  waiting: "Waits for you",
  paused: "Paused",
  done: "Done",
  failed: "Failed",
  cancelled: "Stopped",
};

const reasons: Record<string, string> = {
  cap_reached: "its cap is reached",
  needs_funds: "the balance does not cover the next step",
  approval: "it asks about a call",
  step_limit: "its limit of steps is reached",
  tool_call_limit: "its limit of tool calls is reached",
  tool_bytes_limit: "its limit of tool output is reached",
  time_limit: "its limit of time is reached",
  loop: "it made the same call again and again",
  lost: "the server stopped while it ran",
  agent_suspended: "its agent was suspended",
};

export function stateInWords(run: Pick<Run, "state" | "stop_reason">): string {
  const reason = reasons[run.stop_reason];
  return reason ? `${states[run.state]}: ${reason}` : states[run.state];
}

const outcomes: Record<RunStep["state"], string> = {
  planned: "not yet",
  started: "under way",
  done: "done",
  failed: "failed",
  denied: "not allowed",
  unknown: "outcome not known",
};

export const stepInWords = (step: Pick<RunStep, "state">): string => outcomes[step.state];

const kinds: Record<RunStep["kind"], string> = {
  model: "Model",
  tool: "Tool",
  subrun: "Agent",
  final: "Last answer",
  compact: "Summary of the work so far",
  input: "You",
};

export const kindInWords = (step: Pick<RunStep, "kind">): string => kinds[step.kind];
