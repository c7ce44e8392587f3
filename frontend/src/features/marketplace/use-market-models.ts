import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useMemo } from "react";
import { balanceQuery, modelsQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import type { Model, ModelList } from "@/shared/api/types";
import type { MarketState } from "./market-state";
import { searchModels } from "./search-models";
import { countFacets, filterModels, sortModels, type Viewer } from "./select-models";

const none: Model[] = [];

/** The whole catalogue, and from it what the state asks for; the server's typo-tolerant search helps where nothing matches. */
export function useMarketModels(state: MarketState, favourites: ReadonlySet<string>) {
  const api = useApi();
  const { token } = useSession();
  const all = useQuery(modelsQuery(api));
  const balance = useQuery(balanceQuery(api, token));
  const available = balance.data?.available ?? null;
  const viewer: Viewer = useMemo(() => ({ available, favourites }), [available, favourites]);
  const models = all.data ?? none;
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
  const facets = useMemo(() => countFacets(pool, state, viewer), [pool, state, viewer]);
  const shown = useMemo(() => {
    const filtered = filterModels(pool, state, viewer);
    // With words, their rank is the best order as it stands.
    return text && (state.sort ?? "best") === "best" ? filtered : sortModels(filtered, state.sort);
  }, [pool, state, viewer, text]);
  const byId = useMemo(() => new Map(models.map((model) => [model.id, model])), [models]);
  return { all, models, shown, facets, available, byId, guessed };
}
