import { describe, expect, it } from "vitest";
import { kindInWords, stateInWords, stepInWords } from "./words";

describe("what a run says of itself", () => {
  it("names why it stands still, and nothing that it does not know", () => {
    expect(stateInWords({ state: "paused", stop_reason: "cap_reached" })).toBe("Paused: its cap is reached");
    expect(stateInWords({ state: "done", stop_reason: "stop" })).toBe("Done");
    expect(stateInWords({ state: "failed", stop_reason: "provider_unavailable" })).toBe("Failed");
  });

  it("never calls an unknown outcome a failure or a success", () => {
    expect(stepInWords({ state: "unknown" })).toBe("outcome not known");
    expect(kindInWords({ kind: "subrun" })).toBe("Agent");
  });
});
