import { type MarketState, searchFromState, stateFromSearch } from "@/features/marketplace/market-state";

const panes = ["editor", "market", "chat"] as const;
export type Pane = (typeof panes)[number];

/** The address of the workbench: the marketplace's filters, the model of the chat, and which pane a small screen shows. */
export interface AppSearch extends ReturnType<typeof searchFromState> {
  model?: string;
  pane?: Pane;
  chat?: string;
}

export function appSearch(search: Record<string, unknown>): AppSearch {
  const pane = panes.find((known) => known === search.pane);
  const text = (value: unknown) => (value === undefined || value === "" ? undefined : String(value));
  return { ...searchFromState(stateFromSearch(search)), model: text(search.model), pane, chat: text(search.chat) };
}

export function marketState(search: AppSearch): MarketState {
  return stateFromSearch(search);
}
