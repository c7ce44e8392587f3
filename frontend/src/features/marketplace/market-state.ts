import type { PricingTier } from "@/shared/api/types";

const sorts = ["best", "price", "-price", "context", "newest", "used", "rating", "name"] as const;
export type Sort = (typeof sorts)[number];

/** What the panel shows, as it stands in the URL. Absent means: no filter. */
export interface MarketState {
  q?: string;
  tier?: PricingTier;
  provider?: string[];
  cap?: string[];
  /** Dollars per million input tokens, at most. */
  maxIn?: number;
  /** Dollars per million output tokens, at most. */
  maxOut?: number;
  /** Tokens. */
  minCtx?: number;
  fits?: boolean;
  local?: boolean;
  avail?: boolean;
  fav?: boolean;
  sort?: Sort;
  /** The model whose page is open. */
  view?: string;
  /** Up to four chosen for comparison. */
  compare?: string[];
  comparing?: boolean;
}

export type MarketPatch = Partial<MarketState>;

export const MAX_COMPARED = 4;

type Search = Record<string, unknown>;

const text = (value: unknown): string | undefined => (value === undefined || value === "" ? undefined : String(value));
const flag = (value: unknown): true | undefined => (value === true || value === "true" || value === 1 ? true : undefined);
const list = (value: unknown): string[] | undefined => {
  const items = String(value ?? "")
    .split(",")
    .filter(Boolean);
  return items.length > 0 ? items : undefined;
};
const positive = (value: unknown): number | undefined => {
  const number = Number(value);
  return value !== undefined && value !== "" && Number.isFinite(number) && number >= 0 ? number : undefined;
};

/** From a URL's parameters, whatever they hold: unknown values are dropped, never an error. */
export function stateFromSearch(search: Search): MarketState {
  const tier = text(search.tier);
  const sort = text(search.sort);
  return prune({
    q: text(search.q),
    tier: tier === "free" || tier === "paid" || tier === "premium" ? tier : undefined,
    provider: list(search.provider),
    cap: list(search.cap),
    maxIn: positive(search.maxIn),
    maxOut: positive(search.maxOut),
    minCtx: positive(search.minCtx),
    fits: flag(search.fits),
    local: flag(search.local),
    avail: flag(search.avail),
    fav: flag(search.fav),
    sort: sorts.find((known) => known === sort && known !== "best"),
    view: text(search.view),
    compare: list(search.compare)?.slice(0, MAX_COMPARED),
    comparing: flag(search.comparing),
  });
}

/** To URL parameters; lists are joined by commas so that the address stays readable. */
export function searchFromState(state: MarketState): Record<string, string | number | boolean | undefined> {
  return {
    ...state,
    q: state.q || undefined,
    sort: state.sort === "best" ? undefined : state.sort,
    provider: state.provider?.join(",") || undefined,
    cap: state.cap?.join(",") || undefined,
    compare: state.compare?.join(",") || undefined,
    fits: state.fits || undefined,
    local: state.local || undefined,
    avail: state.avail || undefined,
    fav: state.fav || undefined,
    comparing: state.comparing || undefined,
  };
}

export function prune(state: MarketState): MarketState {
  return Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined)) as MarketState;
}

/** How many filters besides the text are on. */
export function activeFilters(state: MarketState): number {
  const single = [state.tier, state.maxIn, state.maxOut, state.minCtx, state.fits, state.local, state.avail, state.fav];
  return (
    single.filter((value) => value !== undefined && value !== false).length +
    (state.provider?.length ?? 0) +
    (state.cap?.length ?? 0)
  );
}

/** Nothing is asked for: the usual list, in the usual order. */
export function isPlain(state: MarketState): boolean {
  return activeFilters(state) === 0 && !state.q && (state.sort ?? "best") === "best" && !state.view && !state.compare;
}

export const noFilters: MarketPatch = {
  tier: undefined,
  provider: undefined,
  cap: undefined,
  maxIn: undefined,
  maxOut: undefined,
  minCtx: undefined,
  fits: undefined,
  local: undefined,
  avail: undefined,
  fav: undefined,
};

export function toggled(items: readonly string[] | undefined, item: string): string[] | undefined {
  const rest = (items ?? []).filter((other) => other !== item);
  const next = rest.length === (items?.length ?? 0) ? [...rest, item] : rest;
  return next.length > 0 ? next : undefined;
}
