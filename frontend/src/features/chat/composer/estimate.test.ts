import { describe, expect, it, test } from "vitest";
import type { Estimate } from "@/features/chat/talk/chat-api";
import { ApiError } from "@/shared/api/errors";
import { estimateWords, refusal, shortfallWords } from "./estimate";

const estimate = (fields: Partial<Estimate["estimate"]>, affordable = true): Estimate => ({
  estimate: { p50: 0.0021, p95: 0.04, maximum: 0.2, input_tokens: 1200, ...fields },
  affordable,
});

describe("the cost shown before sending", () => {
  it("names the usual and the long answer", () => {
    expect(estimateWords(estimate({}))).toBe("about $0.0021, rarely over $0.04, at most $0.20 · 1.2K tokens in");
  });

  it("calls a free answer free", () => {
    expect(estimateWords(estimate({ p50: 0, p95: 0, maximum: 0 }))).toBe("free · 1.2K tokens in");
  });

  it("says on the button what is missing", () => {
    expect(shortfallWords(estimate({}, false), 0.01)).toBe("Needs $0.04, you have $0.01");
    expect(shortfallWords(estimate({}), 0.01)).toBeNull();
    expect(shortfallWords(undefined, 0)).toBeNull();
  });
});

test("a draft that does not fit is said before it is sent; any other failure is not", () => {
  const error = (code: string) => new ApiError("it takes 4096", { code, status: 400 } as never);
  expect([refusal(error("context_length_exceeded")), refusal(error("server")), refusal(null)]).toEqual([
    "This does not fit: it takes 4096. Shorten it, or choose a model that takes more (/model).",
    null,
    null,
  ]);
});
