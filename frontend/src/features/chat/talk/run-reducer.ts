import { type ApiError, errorFromBody } from "@/shared/api/errors";
import type { ServerEvent } from "./sse";

/** Token counts as the server reports them; classes it does not report are absent. */
export interface RunUsage {
  input_tokens?: number;
  output_tokens?: number;
  cache_read_tokens?: number;
  reasoning_tokens?: number;
  estimated?: boolean;
}

/** Milliseconds from the request to the first token and to the end. */
export interface RunTimings {
  first_token_ms?: number;
  total_ms?: number;
}

export interface Fallback {
  from: string;
  to: string;
  reason: string;
}

export interface ToolCall {
  index: number;
  id: string;
  name: string;
  arguments: string;
}

type RunPhase = "waiting" | "streaming" | "done" | "stopped" | "failed" | "cut";

/** One answer while it is made: what the page needs to show it, and to find it again after a reload. */
export interface Run {
  phase: RunPhase;
  runId: string;
  lastEventId: string;
  requestId?: string;
  conversationId?: string;
  messageId?: string;
  userMessageId?: string;
  model: string;
  provider?: string;
  text: string;
  reasoning: string;
  toolCalls: ToolCall[];
  fallback?: Fallback;
  finishReason?: string;
  usage?: RunUsage;
  timings?: RunTimings;
  cost?: number;
  listCost?: number;
  balance?: number;
  failure?: ApiError;
}

type Fields = Record<string, unknown>;

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
const fields = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;

export function newRun(runId: string, model: string): Run {
  return { phase: "waiting", runId, lastEventId: "", model, text: "", reasoning: "", toolCalls: [] };
}

export const isRunning = (run: Run): boolean => run.phase === "waiting" || run.phase === "streaming";

/** Folds a batch of events into the run; events after the end, unknown types and broken JSON change nothing. */
export function reduceRun(run: Run, events: readonly ServerEvent[]): Run {
  let next = run;
  for (const event of events) {
    if (!isRunning(next)) return next;
    const data = parse(event.data);
    if (data) next = apply({ ...next, lastEventId: event.id || next.lastEventId }, data);
  }
  return next;
}

/** The stream ended without `done` or `error`: keep the part, say that it was cut. */
export function cutRun(run: Run, failure: ApiError): Run {
  if (!isRunning(run)) return run;
  return { ...run, phase: run.text ? "cut" : "failed", failure };
}

/** The person stopped it: what came stays, whatever is still on the wire is ignored. */
export function stopRun(run: Run): Run {
  return isRunning(run) ? { ...run, phase: "stopped", finishReason: "stopped" } : run;
}

/** Takes the bill of a stopped run from its terminal event, without taking more of its text. */
export function billStoppedRun(run: Run, event: ServerEvent): Run {
  const data = parse(event.data);
  if (!data || (data.type !== "done" && data.type !== "error")) return run;
  return { ...run, ...bill(data) };
}

function parse(data: string): Fields | undefined {
  try {
    return fields(JSON.parse(data));
  } catch {
    return undefined;
  }
}

function apply(run: Run, data: Fields): Run {
  switch (data.type) {
    case "start":
      return { ...run, ...started(run, data) };
    case "delta":
      return { ...run, phase: "streaming", text: run.text + (text(data.delta) ?? "") };
    case "reasoning":
      return { ...run, phase: "streaming", reasoning: run.reasoning + (text(data.delta) ?? "") };
    case "tool_call":
      return { ...run, phase: "streaming", toolCalls: mergeToolCall(run.toolCalls, data) };
    case "fallback":
      return { ...run, fallback: fallbackOf(data) };
    case "done":
      return finished(run, data);
    case "error":
      return failed(run, data);
    default:
      return run;
  }
}

function started(run: Run, data: Fields): Partial<Run> {
  return {
    runId: text(data.run_id) ?? run.runId,
    requestId: text(data.request_id),
    model: text(data.model) ?? run.model,
    provider: text(data.provider),
    conversationId: text(data.conversation_id) ?? run.conversationId,
    messageId: text(data.message_id) ?? run.messageId,
    userMessageId: text(data.user_message_id) ?? run.userMessageId,
  };
}

function mergeToolCall(calls: readonly ToolCall[], data: Fields): ToolCall[] {
  const index = number(data.index) ?? calls.length;
  const known = calls.find((call) => call.index === index) ?? { index, id: "", name: "", arguments: "" };
  const merged = {
    index,
    id: text(data.id) ?? known.id,
    name: text(data.name) ?? known.name,
    arguments: known.arguments + (text(data.arguments) ?? ""),
  };
  return [...calls.filter((call) => call.index !== index), merged].sort((a, b) => a.index - b.index);
}

function fallbackOf(data: Fields): Fallback {
  return { from: text(data.from) ?? "", to: text(data.to) ?? "", reason: text(data.reason) ?? "" };
}

function bill(data: Fields): Partial<Run> {
  const found: Partial<Run> = {
    requestId: text(data.request_id),
    usage: fields(data.usage) as RunUsage | undefined,
    timings: fields(data.timings) as RunTimings | undefined,
    cost: number(data.cost),
    listCost: number(data.list_cost),
    balance: number(data.balance_remaining),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function finished(run: Run, data: Fields): Run {
  const fallback = fields(data.fallback);
  const finishReason = text(data.finish_reason);
  return {
    ...run,
    ...bill(data),
    phase: finishReason === "stopped" ? "stopped" : "done",
    // The plain reply's text wins: after a reattach some deltas may have been missed.
    text: text(data.result) ?? run.text,
    model: text(data.model) ?? run.model,
    provider: text(data.provider) ?? run.provider,
    conversationId: text(data.conversation_id) ?? run.conversationId,
    messageId: text(data.message_id) ?? run.messageId,
    userMessageId: text(data.user_message_id) ?? run.userMessageId,
    fallback: fallback ? fallbackOf(fallback) : run.fallback,
    finishReason,
  };
}

function failed(run: Run, data: Fields): Run {
  // An error inside a stream has no HTTP status of its own; 502 is what the same failure is answered with before one.
  const failure = errorFromBody(number(data.status) ?? 502, data);
  return { ...run, ...bill(data), phase: run.text ? "cut" : "failed", failure };
}

/** What the server has named so far. */
export function pickIds(run: Partial<Run>): Partial<Run> {
  const { requestId, conversationId, messageId, userMessageId, provider } = run;
  return { requestId, conversationId, messageId, userMessageId, provider };
}
