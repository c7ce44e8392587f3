import { describe, expect, it } from "vitest";
import type { Model } from "@/shared/api/types";
import { rankModels } from "./rank-models";

const model = (id: string, fields: Partial<Model> = {}) =>
  ({
    id,
    name: id,
    provider: "openai",
    model_id: id,
    pricing_tier: "paid",
    cost_per_1k: 0,
    context_window: 1,
    capabilities: ["text"],
    rating: null,
    use_count: 0,
    is_available: true,
    ...fields,
  }) as Model;

const ids = (models: Model[]) => models.map(({ id }) => id);

describe("rankModels", () => {
  const models = [model("a-dead", { is_available: false }), model("b"), model("c", { capabilities: ["vision"] })];

  it("puts what can be used first, and favourites before the rest", () => {
    expect(ids(rankModels(models, "", ["c"]))).toEqual(["c", "b", "a-dead"]);
  });

  it("needs every word, in any field", () => {
    expect(ids(rankModels(models, "openai vision", []))).toEqual(["c"]);
    expect(rankModels(models, "vision nothing", [])).toEqual([]);
  });
});
