import { expect, test } from "vitest";
import { formatOf } from "./evaluations-api";
import { stateWords } from "./words";

test.each([
  ["running", null, "Running:"],
  ["stopped", "budget", "Stopped before the budget was crossed:"],
  ["failed", "server", "Ended early (server):"],
] as const)("%s, %s", (state, reason, words) => expect(stateWords({ state, reason })).toBe(words));

test("a file is read as what its name says", () => {
  expect([formatOf({ name: "A.CSV" }), formatOf({ name: "a.jsonl" }), formatOf({ name: "a" })]).toEqual([
    "csv",
    "jsonl",
    "jsonl",
  ]);
});
