import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";

const base = "/api/v1/marketplace";

/** A provider's key of the user's own, as the server shows it: never its text. */
export interface ProviderKey {
  provider: string;
  masked: string;
  status: "verified" | "unverified" | "needs_reentry" | (string & {});
  created_at: string;
  last_tested_at: string | null;
}

export type CapPeriod = "total" | "day" | "week" | "month";

/** A key for programs. Amounts in dollars. */
export interface MarketplaceKey {
  id: string;
  name: string;
  prefix: string;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  cap: { amount: number; period: CapPeriod } | null;
  spent: number;
}

export interface NewKey {
  name: string;
  cap?: { amount: string; period: CapPeriod };
  expires_in_days?: number;
}

export const providerKeysQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["provider-keys", token],
    queryFn: ({ signal }) => api.get<{ api_keys: ProviderKey[] }>(`${base}/api-keys`, { signal }),
    select: (reply) => reply.api_keys,
    enabled: token !== null,
  });

export const marketplaceKeysQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["marketplace-keys", token],
    queryFn: ({ signal }) => api.get<{ keys: MarketplaceKey[] }>(`${base}/keys`, { signal }),
    select: (reply) => reply.keys,
    enabled: token !== null,
  });

export const saveProviderKey = (api: ApiClient, provider: string, apiKey: string) =>
  api.post<ProviderKey>(`${base}/api-keys`, { provider, api_key: apiKey });

export const testProviderKey = (api: ApiClient, provider: string) =>
  api.post<ProviderKey>(`${base}/api-keys/${encodeURIComponent(provider)}/test`);

export const deleteProviderKey = (api: ApiClient, provider: string) =>
  api.delete(`${base}/api-keys/${encodeURIComponent(provider)}`);

export const createKey = (api: ApiClient, key: NewKey) => api.post<MarketplaceKey & { key: string }>(`${base}/keys`, key);

export const revokeKey = (api: ApiClient, id: string) => api.delete(`${base}/keys/${encodeURIComponent(id)}`);
