import type { Model, ModelList } from "@/shared/api/types";
import type { MarketState, Sort } from "./market-state";

export interface Viewer {
  /** Dollars; null when signed out. */
  available: number | null;
  favourites: ReadonlySet<string>;
}

/** What "fits my balance" means: one usual request of 2,000 tokens in and 1,000 out. */
const USUAL_INPUT = 2_000;
const USUAL_OUTPUT = 1_000;

const isLocal = (model: Model) => model.runs_here;

/** Dollars per million; null if unknown or not offered. */
export function price(model: Model, kind: "input" | "output"): number | null {
  const value = model.prices?.[kind];
  return value === undefined || value === null ? null : Number(value);
}

/** Dollars; null if the price is unknown. */
function usualCost(model: Model): number | null {
  const input = price(model, "input");
  if (input === null) return null;
  const output = price(model, "output") ?? 0;
  return (input * USUAL_INPUT + output * USUAL_OUTPUT) / 1_000_000 + Number(model.prices?.per_request ?? 0);
}

export type Group = "tier" | "provider" | "cap" | "price" | "context" | "fits" | "local" | "avail" | "fav";

type Test = (model: Model) => boolean;

function tests(state: MarketState, viewer: Viewer): Partial<Record<Group, Test>> {
  const { tier, provider, cap, maxIn, maxOut, minCtx } = state;
  return {
    tier: tier && ((model) => model.pricing_tier === tier),
    provider: provider && ((model) => provider.some((name) => offeredBy(model, name))),
    cap: cap && ((model) => cap.every((name) => model.capabilities.includes(name))),
    price:
      maxIn === undefined && maxOut === undefined
        ? undefined
        : (model) => atMost(price(model, "input"), maxIn) && atMost(price(model, "output"), maxOut),
    context: minCtx === undefined ? undefined : (model) => (model.context_window ?? 0) >= minCtx,
    fits: state.fits ? (model) => fitsBalance(model, viewer) : undefined,
    local: state.local ? isLocal : undefined,
    avail: state.avail ? (model) => model.is_available : undefined,
    fav: state.fav ? (model) => viewer.favourites.has(model.id) : undefined,
  };
}

function offeredBy(model: Model, provider: string): boolean {
  return model.provider === provider || (model.providers ?? []).includes(provider);
}

function atMost(value: number | null, limit: number | undefined): boolean {
  return limit === undefined || (value !== null && value <= limit);
}

function fitsBalance(model: Model, viewer: Viewer): boolean {
  const cost = usualCost(model);
  if (cost === 0) return true;
  return cost !== null && viewer.available !== null && cost <= viewer.available;
}

export function filterModels(models: readonly Model[], state: MarketState, viewer: Viewer, except?: Group): Model[] {
  const groups = Object.entries(tests(state, viewer)) as [Group, Test | undefined][];
  const active = groups.flatMap(([group, test]) => (test && group !== except ? [test] : []));
  return models.filter((model) => active.every((test) => test(model)));
}

export interface Facets {
  tier: Map<string, number>;
  provider: Map<string, number>;
  cap: Map<string, number>;
  /** Undefined while only the server has counted. */
  fits?: number;
  local?: number;
  avail?: number;
  fav?: number;
}

/** The server's counts of the whole catalogue. */
export function facetsOf({ tier, provider, capability }: ModelList["facets"]): Facets {
  const counts = (values: Record<string, number>) => new Map(Object.entries(values));
  return { tier: counts(tier), provider: counts(provider), cap: counts(capability) };
}

/** Counts of what a click would show: each group is counted with all other groups' filters on. */
export function countFacets(models: readonly Model[], state: MarketState, viewer: Viewer): Facets {
  const tally = (pool: Model[], keys: (model: Model) => readonly string[]) => {
    const counts = new Map<string, number>();
    for (const model of pool) for (const key of keys(model)) counts.set(key, (counts.get(key) ?? 0) + 1);
    return new Map([...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])));
  };
  const amount = (group: Group, test: Test) => filterModels(models, state, viewer, group).filter(test).length;
  return {
    tier: tally(filterModels(models, state, viewer, "tier"), (model) => [model.pricing_tier]),
    provider: tally(filterModels(models, state, viewer, "provider"), (model) => [
      ...new Set([model.provider, ...(model.providers ?? [])]),
    ]),
    cap: tally(filterModels(models, state, viewer), (model) => model.capabilities),
    fits: amount("fits", (model) => fitsBalance(model, viewer)),
    local: amount("local", isLocal),
    avail: amount("avail", (model) => model.is_available),
    fav: amount("fav", (model) => viewer.favourites.has(model.id)),
  };
}

const missingLast = (a: number | null, b: number | null, direction: 1 | -1) =>
  a === null ? (b === null ? 0 : 1) : b === null ? -1 : (a - b) * direction;

const byDate = (a: Model, b: Model) => (b.released_on ?? "").localeCompare(a.released_on ?? "");

const comparisons: Record<Exclude<Sort, "best">, (a: Model, b: Model) => number> = {
  price: (a, b) => missingLast(a.cost_per_1k, b.cost_per_1k, 1),
  "-price": (a, b) => missingLast(a.cost_per_1k, b.cost_per_1k, -1),
  context: (a, b) => (b.context_window ?? 0) - (a.context_window ?? 0),
  newest: byDate,
  used: (a, b) => b.use_count - a.use_count,
  rating: (a, b) => missingLast(a.rating, b.rating, -1),
  name: (a, b) => a.name.localeCompare(b.name),
};

/** `best` keeps the given order (the text's rank, or the server's), with what can be used now and is not retired first. */
export function sortModels(models: readonly Model[], sort: Sort | undefined): Model[] {
  const order = sort && sort !== "best" ? comparisons[sort] : (a: Model, b: Model) => usability(b) - usability(a);
  return [...models].sort(order);
}

function usability(model: Model): number {
  return (model.is_available ? 2 : 0) + (model.retired ? 0 : 1);
}
