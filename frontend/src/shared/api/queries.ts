import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { components } from "@/shared/api/schema.gen";
import type {
  Balance,
  Model,
  ModelDetail,
  ModelList,
  Offer,
  ProviderInfo,
  SignUpOffer,
  UserProfile,
} from "@/shared/api/types";

type Schemas = components["schemas"];
const base = "/api/v1/marketplace";
const agents = "/api/v1/agents";
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

const FIRST = 36;

/** What stands on the first screens of the catalogue, in its usual order; the rest comes when somebody looks for it. */
export const firstModelsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["models", "first"],
    queryFn: ({ signal }) => api.get<ModelList>(`${base}/models`, { query: { limit: FIRST, sort: "ready" }, signal }),
    staleTime: 5 * 60_000,
    // What is starting may stand further down: as long as nothing is ready, it is asked for again, two minutes at most.
    refetchInterval: ({ state: { data, dataUpdateCount } }) =>
      data && !data.models.some((model) => model.is_available) && dataUpdateCount < 40 ? STARTING_MS : false,
    retryOnMount: false,
  });

/** What an account brings (`credit`, dollars), and who may make one. */
export const signUpQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["signup"],
    queryFn: ({ signal }) => api.get<SignUpOffer>(`${base}/auth/signup`, { signal, auth: "none" }),
    staleTime: Number.POSITIVE_INFINITY,
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

/** Offered agents that fit these words and this category; both may be empty. */
export const listingsQuery = (api: ApiClient, q: string, category: string) =>
  queryOptions({
    queryKey: ["agents", "listings", q, category],
    queryFn: ({ signal }) =>
      api.get<Schemas["Listings"]>(`${agents}/listings`, { signal, query: { q, category, limit: 60 } }),
    staleTime: 10_000,
  });

/** Offered agents that the account has taken, with what it agreed to. */
export const installedQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["agents", "installed", token],
    queryFn: ({ signal }) => api.get<Schemas["Installed"]>(`${agents}/installed`, { signal }),
    enabled: token !== null,
    staleTime: 0,
  });
