import { describe, expect, it } from "vitest";
import type { Estimate } from "@/features/chat/talk/chat-api";
import { estimateWords, shortfallWords } from "./estimate";

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
