import { describe, expect, it } from "vitest";
import { ApiError } from "@/shared/api/errors";
import { billStoppedRun, cutRun, newRun, reduceRun, stopRun } from "./run-reducer";
import type { ServerEvent } from "./sse";

let counter = 0;
function event(data: Record<string, unknown>): ServerEvent {
  counter += 1;
  return { id: String(counter), type: String(data.type), data: JSON.stringify(data) };
}

const start = event({
  type: "start",
  request_id: "req_1",
  run_id: "run_1",
  model: "demo",
  provider: "local",
  conversation_id: "c1",
  message_id: "m2",
  user_message_id: "m1",
});
const hello = [event({ type: "delta", delta: "Hel" }), event({ type: "delta", delta: "lo" })];
const done = event({
  type: "done",
  success: true,
  result: "Hello",
  cost: 0.0000025,
  balance_remaining: 4.9,
  model: "demo",
  provider: "local",
  finish_reason: "stop",
  usage: { input_tokens: 3, output_tokens: 2 },
  timings: { first_token_ms: 12, total_ms: 40 },
});

describe("reduceRun", () => {
  it("builds an answer with its ids, bill and timings", () => {
    const run = reduceRun(newRun("run_0", "demo"), [start, ...hello, done]);
    expect(run).toMatchObject({
      phase: "done",
      text: "Hello",
      requestId: "req_1",
      runId: "run_1",
      messageId: "m2",
      cost: 0.0000025,
      balance: 4.9,
      timings: { first_token_ms: 12 },
      lastEventId: done.id,
    });
  });

  it("gives the same answer in one batch and in many", () => {
    const events = [start, ...hello, done];
    const once = reduceRun(newRun("r", "demo"), events);
    const many = events.reduce((run, one) => reduceRun(run, [one]), newRun("r", "demo"));
    expect(many).toEqual(once);
  });

  it("names the provider that really answered after a fallback", () => {
    const run = reduceRun(newRun("r", "big"), [
      event({ type: "fallback", from: "big", to: "demo", reason: "provider_unavailable" }),
      start,
      ...hello,
    ]);
    expect(run).toMatchObject({ model: "demo", provider: "local", fallback: { from: "big", to: "demo" } });
  });

  it("keeps the part and its charge when the provider breaks off", () => {
    const broken = event({
      type: "error",
      success: false,
      error: "The provider closed the stream",
      code: "provider_unavailable",
      request_id: "req_1",
      cost: 0.001,
      balance_remaining: 4,
      partial: true,
    });
    const run = reduceRun(newRun("r", "demo"), [start, ...hello, broken]);
    expect(run).toMatchObject({ phase: "cut", text: "Hello", cost: 0.001, failure: { code: "provider_unavailable" } });
  });

  it("fails without a part when nothing came", () => {
    const run = reduceRun(newRun("r", "demo"), [
      event({ type: "error", error: "Busy", code: "rate_limit_exceeded", retry_after: 3 }),
    ]);
    expect(run).toMatchObject({ phase: "failed", failure: { message: "Busy", retryAfter: 3 } });
  });

  it("survives broken JSON, unknown types and events after the end", () => {
    const run = reduceRun(newRun("r", "demo"), [
      { id: "1", type: "delta", data: "{" },
      event({ type: "novelty" }),
      ...hello,
      done,
      event({ type: "delta", delta: " late" }),
    ]);
    expect(run).toMatchObject({ phase: "done", text: "Hello" });
  });

  it("joins the pieces of a tool call", () => {
    const run = reduceRun(newRun("r", "demo"), [
      event({ type: "tool_call", index: 0, id: "t", name: "find", arguments: '{"q":' }),
      event({ type: "tool_call", index: 0, arguments: '"x"}' }),
    ]);
    expect(run.toolCalls).toEqual([{ index: 0, id: "t", name: "find", arguments: '{"q":"x"}' }]);
  });
});

describe("ends that are not the server's", () => {
  it("a stop before the first token leaves an empty stopped answer that late tokens do not fill", () => {
    const stopped = stopRun(newRun("r", "demo"));
    expect(reduceRun(stopped, hello)).toEqual(stopped);
    expect(stopped).toMatchObject({ phase: "stopped", text: "" });
  });

  it("a stopped answer still learns what it cost", () => {
    const stopped = stopRun(reduceRun(newRun("r", "demo"), [start, ...hello]));
    const billed = billStoppedRun(stopped, done);
    expect(billed).toMatchObject({ phase: "stopped", cost: 0.0000025, balance: 4.9, text: "Hello" });
  });

  it("a connection that ends silently is a cut, never a success", () => {
    const failure = new ApiError("Connection lost", { code: "offline", status: 0 });
    expect(cutRun(reduceRun(newRun("r", "demo"), [start, ...hello]), failure).phase).toBe("cut");
    expect(cutRun(newRun("r", "demo"), failure).phase).toBe("failed");
  });
});
