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

/** True where the address asks for the editor or the chat: without it a newcomer meets the marketplace alone. */
export function opensWorkbench({ pane, chat, model }: AppSearch): boolean {
  return pane !== undefined || chat !== undefined || model !== undefined;
}

export function marketState(search: AppSearch): MarketState {
  return stateFromSearch(search);
}
