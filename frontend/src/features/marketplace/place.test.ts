import { expect, test } from "vitest";
import { placeOf } from "./place";

const placed = (model: string, quality: number, cost: number) => ({
  model,
  name: model,
  quality,
  cost,
  basis: "measured",
  is_available: true,
});
const models = [placed("a", 0.9, 5), placed("b", 0.9, 1), placed("c", 0.8, 2), placed("d", 0.95, 9)];

test("a model's place counts the better ones, and names what is as good for less", () => {
  expect(placeOf(models, "c")).toMatchObject({ rank: 4, of: 4, better: [{ model: "b" }] });
  expect(placeOf(models, "b")).toMatchObject({ rank: 2, better: [] });
  expect(placeOf(models, "x")).toBeNull();
});
