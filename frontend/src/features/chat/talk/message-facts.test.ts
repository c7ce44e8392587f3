import { describe, expect, it } from "vitest";
import { newMessage } from "./chat-message";
import { completionWords, messageFacts, tokensPerSecond, totals } from "./message-facts";

describe("messageFacts", () => {
  it("says what an answer took and cost", () => {
    const facts = messageFacts({
      usage: { input_tokens: 1234, output_tokens: 212, cache_read_tokens: 1000 },
      cost: 0.0031,
      timings: { first_token_ms: 412, total_ms: 4412 },
    });
    expect(facts).toEqual(["1.2K in (1K cached)", "212 out", "$0.0031", "412 ms to first token", "53 tokens/s"]);
  });

  it("marks estimated counts and leaves out what is not known", () => {
    expect(messageFacts({ usage: { input_tokens: 5, estimated: true }, cost: 0 })).toEqual(["~5 in", "free"]);
  });

  it("claims no speed from too little", () => {
    expect(tokensPerSecond({ usage: { output_tokens: 1 }, timings: { first_token_ms: 1, total_ms: 900 } })).toBeUndefined();
    expect(tokensPerSecond({ usage: { output_tokens: 50 }, timings: { first_token_ms: 9, total_ms: 10 } })).toBeUndefined();
  });
});

describe("completionWords", () => {
  it("reads out the end of an answer with its cost", () => {
    expect(completionWords({ status: "complete", usage: { output_tokens: 212 }, cost: 0.0031 })).toBe(
      "Answer complete, 212 tokens, $0.0031",
    );
    expect(completionWords({ status: "stopped" })).toBe("Stopped");
  });
});

describe("totals", () => {
  it("adds up the answers only", () => {
    const question = newMessage({ parentId: null, role: "user" });
    const answer = newMessage({
      parentId: question.id,
      role: "assistant",
      cost: 0.1,
      usage: { input_tokens: 3, output_tokens: 4 },
    });
    expect(totals([question, answer, answer])).toEqual({ cost: 0.2, input: 6, output: 8, answers: 2 });
  });
});
