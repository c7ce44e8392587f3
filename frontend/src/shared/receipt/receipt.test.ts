import { describe, expect, it } from "vitest";
import { estimateVerdict } from "./receipt";

describe("estimateVerdict", () => {
  const estimate = { p50: 0.01, p95: 0.05, maximum: 0.2 };
  it.each([
    [0.01, "at or under the usual estimate"],
    [0.03, "within the estimated range"],
    [0.1, "a long answer, under the stated maximum"],
    [0.3, "over the stated maximum"],
  ])("%d is %s", (cost, words) => {
    expect(estimateVerdict({ cost, estimate })).toBe(words);
  });

  it("says nothing where nothing was estimated", () => {
    expect(estimateVerdict({ cost: 1, estimate: null })).toBeNull();
  });
});
