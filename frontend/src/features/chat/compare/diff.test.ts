import { expect, test } from "vitest";
import { diff } from "./diff";

const whole = (pieces: ReturnType<typeof diff>, side: "left" | "right") =>
  pieces
    .filter(({ kind }) => kind === "same" || kind === side)
    .map(({ text }) => text)
    .join("");

test("a diff loses nothing of either text, and says what is the same", () => {
  const left = "The cat sat\non the mat.";
  const right = "The dog sat\non a red mat.";
  const pieces = diff(left, right);
  expect(whole(pieces, "left")).toBe(left);
  expect(whole(pieces, "right")).toBe(right);
  expect(pieces.filter(({ kind }) => kind === "left").map(({ text }) => text)).toEqual(["cat", "the"]);
  expect(diff("same", "same")).toEqual([{ kind: "same", text: "same" }]);
  expect(diff("", "")).toEqual([]);
});

test("two very long answers do not freeze the page", () => {
  const left = "word ".repeat(30_000);
  const right = "other ".repeat(30_000);
  expect(whole(diff(left, right), "right")).toBe(right);
});
