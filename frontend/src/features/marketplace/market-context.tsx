import { createContext, useContext } from "react";
import type { Model } from "@/shared/api/types";
import type { MarketPatch, MarketState } from "./market-state";

/** What a card, the model page and the comparison can do to the panel around them. */
export interface Market {
  state: MarketState;
  change(patch: MarketPatch): void;
  favourites: ReadonlySet<string>;
  toggleFavourite(id: string): void;
  toggleCompared(id: string): void;
  copyId(id: string): void;
  /** Opens the dialog of provider keys. */
  addKey(): void;
  /** Chat with this model; `task` becomes the draft, `effort` the chat's setting. */
  use(model: Model, task?: string, effort?: string): void;
  /** The model chosen for the chat now. */
  selectedId: string | undefined;
}

const MarketContext = createContext<Market | null>(null);

export const MarketProvider = MarketContext.Provider;

export function useMarket(): Market {
  const market = useContext(MarketContext);
  if (!market) throw new Error("Use this inside AIMarketplacePanel");
  return market;
}
