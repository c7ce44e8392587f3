import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { Balance, Model, ModelDetail, ModelList, Offer, ProviderInfo, UserProfile } from "@/shared/api/types";

const base = "/api/v1/marketplace";
const STARTING_MS = 3000;

const isStarting = ({ is_available: ready, unavailable_reason: why }: Model) => !ready && /is starting/.test(why ?? "");

/** Reads that more than one feature needs. Keys of one feature only live in that feature. */
export const modelsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["models"],
    queryFn: ({ signal }) => api.get<ModelList>(`${base}/models`, { query: { limit: 5000 }, signal }),
    staleTime: 5 * 60_000,
    // The page may be opened while the server starts: what is on its way is asked for again until it is there.
    refetchInterval: ({ state }) => (state.data?.models.some(isStarting) ? STARTING_MS : false),
    // A refusal that the page's loader met (429 with its wait, 503) is shown, not asked again by the component.
    retryOnMount: false,
    select: (reply): Model[] => reply.models,
  });

export const modelQuery = (api: ApiClient, id: string) =>
  queryOptions({
    queryKey: ["model", id],
    queryFn: ({ signal }) => api.get<{ model: ModelDetail }>(`${base}/models/${encodeURIComponent(id)}`, { signal }),
    select: (reply) => reply.model,
  });

export const offersQuery = (api: ApiClient, id: string) =>
  queryOptions({
    queryKey: ["offers", id],
    queryFn: ({ signal }) => api.get<{ offers: Offer[] }>(`${base}/models/${encodeURIComponent(id)}/endpoints`, { signal }),
    select: (reply) => reply.offers,
  });

/** `token` is part of the key so that another account never sees this one's numbers. */
export const profileQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["profile", token],
    queryFn: ({ signal }) => api.get<{ user: UserProfile }>(`${base}/profile`, { signal }),
    select: (reply) => reply.user,
    enabled: token !== null,
  });

export const balanceQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["balance", token],
    queryFn: ({ signal }) => api.get<Balance>(`${base}/billing/balance`, { signal }),
    enabled: token !== null,
    staleTime: 15_000,
  });

export const providersQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["providers"],
    queryFn: ({ signal }) => api.get<{ providers: ProviderInfo[] }>(`${base}/providers`, { signal }),
    select: (reply) => reply.providers,
  });

export const favouritesQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["favourites", token],
    queryFn: ({ signal }) => api.get<{ favourites: string[] }>(`${base}/favourites`, { signal }),
    select: (reply) => reply.favourites,
    enabled: token !== null,
  });
