import { expect, test } from "vitest";
import { readingWords } from "./file-cost";

test("a file says what it costs to read, and nothing where that is not known", () => {
  expect(readingWords(12_000, 4)).toBe("about 12K tokens, $0.048");
  expect(readingWords(12_000, 0)).toBe("about 12K tokens, free");
  expect(readingWords(12_000, null)).toBe("about 12K tokens");
});
