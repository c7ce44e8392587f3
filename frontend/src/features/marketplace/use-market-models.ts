import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useMemo } from "react";
import type { ApiClient } from "@/shared/api/client";
import { balanceQuery, firstModelsQuery, modelsQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import type { Model, ModelList } from "@/shared/api/types";
import { isPlain, type MarketState } from "./market-state";
import { searchModels } from "./search-models";
import { countFacets, facetsOf, filterModels, sortModels, type Viewer } from "./select-models";
import { useInterest } from "./use-interest";

const none: Model[] = [];

const knowsAll = (client: QueryClient, api: ApiClient) => client.getQueryData(modelsQuery(api).queryKey) !== undefined;

/** Begins with what the page will show, before it is drawn. */
export function prefetchModels(client: QueryClient, api: ApiClient, state: MarketState): void {
  if (isPlain(state) && !knowsAll(client, api)) void client.prefetchQuery(firstModelsQuery(api));
  else void client.prefetchQuery(modelsQuery(api));
}

/**
 * What the state asks for. Nothing asked: the first cards with the server's counts, and the whole catalogue once somebody
 * moves a hand; all searching, filtering and counting is done here. The server's typo-tolerant search helps where nothing matches.
 */
export function useMarketModels(state: MarketState, favourites: ReadonlySet<string>) {
  const api = useApi();
  const { token } = useSession();
  const plain = isPlain(state);
  const interested = useInterest();
  const client = useQueryClient();
  const whole = interested || !plain || knowsAll(client, api);
  const first = useQuery({ ...firstModelsQuery(api), enabled: !whole });
  // While the first cards could not be had, their notice stays under the hand that reaches for "Try again".
  const all = useQuery({ ...modelsQuery(api), enabled: whole && !first.isError });
  // Out of reach, the rest can't follow: what is asked is then looked for among the first cards.
  const alone = first.isSuccess && !all.isSuccess && (plain || all.isPaused || all.isError);
  const early = plain && alone ? first.data : null;
  const balance = useQuery(balanceQuery(api, token));
  const available = balance.data?.available ?? null;
  const viewer: Viewer = useMemo(() => ({ available, favourites }), [available, favourites]);
  const models = (alone ? first.data.models : all.data) ?? none;
  // Typing stays smooth: the list may follow one frame behind the words.
  const text = useDeferredValue(state.q);
  const found = useMemo(() => searchModels(models, text), [models, text]);
  const nearest = useQuery({
    queryKey: ["nearest", text],
    queryFn: ({ signal }) =>
      api.get<ModelList>("/api/v1/marketplace/models/search", { query: { q: text?.slice(0, 200), limit: 24 }, signal }),
    select: (reply) => reply.models,
    enabled: all.isSuccess && Boolean(text) && found.length === 0,
  });
  const guessed = found.length === 0 && (nearest.data?.length ?? 0) > 0;
  const pool = guessed ? (nearest.data ?? none) : found;
  const facets = useMemo(
    () => (early ? facetsOf(early.facets) : countFacets(pool, state, viewer)),
    [early, pool, state, viewer],
  );
  const shown = useMemo(() => {
    const filtered = filterModels(pool, state, viewer);
    // With words, their rank is the best order as it stands.
    return text && (state.sort ?? "best") === "best" ? filtered : sortModels(filtered, state.sort);
  }, [pool, state, viewer, text]);
  const byId = useMemo(() => new Map(models.map((model) => [model.id, model])), [models]);
  const total = early?.total ?? models.length;
  return {
    list: alone || !whole || first.isError ? first : all,
    total,
    found: early ? total : shown.length,
    shown,
    facets,
    available,
    byId,
    guessed,
  };
}
