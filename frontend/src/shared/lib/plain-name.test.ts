import { expect, test } from "vitest";
import { plainName } from "./plain-name";

test("a name that is written backwards does not pass for another kind of file", () => {
  expect(plainName("invoice\u202Etxt.exe")).toBe("invoice\ufffdtxt.exe");
  expect(plainName("a\u2066b\u0000c\u200b.pdf")).toBe("a\ufffdb\ufffdc\ufffd.pdf");
});

test("names of any language stay as they are, on one line", () => {
  expect(plainName("תקציב 2026.xlsx")).toBe("תקציב 2026.xlsx");
  expect(plainName("日本語👩‍👩‍👧.csv")).toBe("日本語👩‍👩‍👧.csv");
  expect(plainName("new\nline.md")).toBe("new line.md");
});
