import { expect, test } from "vitest";
import { frontier } from "./scatter";

test("the line goes through what nothing as cheap beats, and through nothing else", () => {
  const points = [
    { x: 1, y: 5 },
    { x: 1, y: 4 },
    { x: 2, y: 5 },
    { x: 3, y: 9 },
    { x: 4, y: 8 },
  ];
  expect(frontier(points)).toEqual([0, 3]);
  expect(frontier([])).toEqual([]);
});
