import { describe, expect, it } from "vitest";
import { errorFromBody } from "@/shared/api/errors";
import { problemOf } from "./problem";

describe("problemOf", () => {
  it("reads a 402 with its way out", () => {
    const error = errorFromBody(402, {
      error: "Insufficient balance",
      code: "payment_required",
      required: 0.04,
      balance: 0.02,
      available: 0.01,
      max_affordable_tokens: 120,
      free_alternative: "demo",
    });
    expect(problemOf(error)).toEqual({
      kind: "payment",
      required: 0.04,
      available: 0.01,
      maxTokens: 120,
      alternative: { id: "demo" },
    });
  });

  it("reads the nearest models of a 404, as ids or as objects", () => {
    const error = errorFromBody(404, { error: "Model not found", nearest: ["gpt4", { id: "gpt4o", name: "GPT-4o" }] });
    expect(problemOf(error)).toEqual({ kind: "model-gone", nearest: [{ id: "gpt4" }, { id: "gpt4o", name: "GPT-4o" }] });
  });

  it("tells a model that lacks a key from one that is gone", () => {
    const error = errorFromBody(404, {
      error: "claude-opus-5: no key for anthropic is configured",
      code: "no_endpoints",
      availability: { affected_providers: ["anthropic", "bedrock"], excluded_by: ["unavailable"] },
    });
    expect(problemOf(error)).toEqual({ kind: "needs-key", providers: ["anthropic", "bedrock"] });
  });

  it("waits whole seconds after a 429, and never less than one", () => {
    expect(problemOf(errorFromBody(429, {}, 2.2))).toEqual({ kind: "rate-limit", seconds: 3 });
    expect(problemOf(errorFromBody(429, {}, 0))).toEqual({ kind: "rate-limit", seconds: 1 });
    expect(problemOf(errorFromBody(429, {}))).toEqual({ kind: "rate-limit", seconds: 5 });
  });

  it.each([
    [401, "sign-in"],
    [403, "forbidden"],
    [502, "provider"],
    [503, "provider"],
    [504, "provider"],
    [400, "other"],
  ])("status %i is %s", (status, kind) => {
    expect(problemOf(errorFromBody(status, {})).kind).toBe(kind);
  });
});
