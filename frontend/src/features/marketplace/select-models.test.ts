import { describe, expect, test } from "vitest";
import type { Model } from "@/shared/api/types";
import { searchFromState, stateFromSearch, toggled } from "./market-state";
import { searchModels } from "./search-models";
import { countFacets, filterModels, sortModels, type Viewer } from "./select-models";
import { model } from "./test-models";

const viewer: Viewer = { available: 0.01, favourites: new Set(["b"]) };
const ids = (models: readonly Model[]) => models.map(({ id }) => id);

const models = [
  model({
    id: "a",
    name: "Alpha Large",
    provider: "openai",
    prices: { input: "10", output: "30" },
    cost_per_1k: 0.015,
    pricing_tier: "premium",
  }),
  model({
    id: "b",
    name: "Beta",
    provider: "google",
    providers: ["google", "vertex"],
    capabilities: ["text", "vision"],
    cost_per_1k: 0.001,
  }),
  model({
    id: "c",
    name: "Gamma",
    provider: "local",
    runs_here: true,
    prices: { input: "0", output: "0" },
    cost_per_1k: 0,
    pricing_tier: "free",
  }),
  model({ id: "d", name: "Delta", prices: null, cost_per_1k: null, is_available: false }),
];

describe("filters", () => {
  test("an unknown price never passes a price limit or the balance", () => {
    expect(ids(filterModels(models, { maxIn: 1000 }, viewer))).not.toContain("d");
    expect(ids(filterModels(models, { fits: true }, viewer))).not.toContain("d");
  });

  test("what costs more than the balance does not fit, and free always fits, signed out too", () => {
    expect(ids(filterModels(models, { fits: true }, viewer))).toEqual(["b", "c"]);
    expect(ids(filterModels(models, { fits: true }, { available: null, favourites: new Set() }))).toEqual(["c"]);
  });

  test("a model is found under every provider that offers it", () => {
    expect(ids(filterModels(models, { provider: ["vertex"] }, viewer))).toEqual(["b"]);
  });

  test("facet counts promise what a click then shows", () => {
    const facets = countFacets(models, { tier: "free" }, viewer);
    for (const [tier, count] of facets.tier) {
      expect(filterModels(models, { tier: tier as Model["pricing_tier"] }, viewer)).toHaveLength(count);
    }
    expect(facets.fav).toBe(0);
  });
});

describe("order", () => {
  test("an unknown price sorts last both ways", () => {
    expect(ids(sortModels(models, "price")).at(-1)).toBe("d");
    expect(ids(sortModels(models, "-price"))).toEqual(["a", "b", "c", "d"]);
  });

  test("by default nothing unusable stands before what can be used", () => {
    expect(ids(sortModels([...models].reverse(), undefined)).at(-1)).toBe("d");
  });
});

describe("text", () => {
  test("every word must be found somewhere", () => {
    expect(ids(searchModels(models, "alpha large"))).toEqual(["a"]);
    expect(searchModels(models, "alpha nonsense")).toEqual([]);
  });

  test("a name that begins with the word beats a mention", () => {
    const mention = model({ id: "z", name: "Zeta", description: "Better than Beta" });
    expect(ids(searchModels([mention, ...models], "beta"))).toEqual(["b", "z"]);
  });
});

describe("URL", () => {
  test("a hostile or stale address is read without an error", () => {
    expect(stateFromSearch({ tier: "gold", maxIn: "NaN", sort: "drop table", compare: "a,b,c,d,e", fits: "no" })).toEqual({
      compare: ["a", "b", "c", "d"],
    });
  });

  test("the state survives the trip through the address", () => {
    const state = stateFromSearch({
      q: "fast",
      tier: "paid",
      cap: "vision,tools",
      minCtx: 128000,
      fav: true,
      sort: "price",
    });
    expect(stateFromSearch(searchFromState(state))).toEqual(state);
  });

  test("toggling twice leaves no empty list behind", () => {
    expect(toggled(toggled(undefined, "x"), "x")).toBeUndefined();
  });
});
