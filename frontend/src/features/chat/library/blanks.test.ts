import { expect, test } from "vitest";
import { blanksOf, fillBlanks } from "./blanks";

const TEXT = "Review {{ code }} for {{who=a beginner}} and {{who}}. {{}} {x} {{code}}";

test("blanks are found once each, with their usual words", () => {
  expect(blanksOf(TEXT)).toEqual([
    { name: "code", usual: "" },
    { name: "who", usual: "a beginner" },
  ]);
});

test("what is filled in is no blank itself, and $& stays what it is", () => {
  expect(fillBlanks(TEXT, { code: "{{who}} $& " })).toBe(
    "Review {{who}} $&  for a beginner and a beginner. {{}} {x} {{who}} $& ",
  );
});
