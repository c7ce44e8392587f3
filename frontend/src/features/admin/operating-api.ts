import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { components } from "@/shared/api/schema.gen";
import { base, listQuery, type Paged, type Proof, post } from "./admin-api";

type Schemas = components["schemas"];
export type OperatorProvider = Schemas["OperatorProvider"];
export type FoundOffer = Schemas["AdminOffer"];
export type Setting = Schemas["SettingOut"];

export const operatorProvidersQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["admin", "providers"],
    queryFn: ({ signal }) => api.get<Schemas["OperatorProviders"]>(`${base}/providers`, { signal }),
    staleTime: 0,
    refetchInterval: 15_000,
  });

export const settingsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["admin", "settings"],
    queryFn: ({ signal }) => api.get<Schemas["SettingsShown"]>(`${base}/settings`, { signal }),
    staleTime: 0,
  });

export const foundOffersQuery = (api: ApiClient, query: { q: string; provider?: string; unpriced?: string }) =>
  listQuery<Paged & { offers: FoundOffer[] }>(api, `${base}/offers`, query);

export const saveProviderKey = (api: ApiClient, provider: string, body: Proof & { api_key: string }) =>
  post(api, `${base}/providers/${provider}/key`, body);
export const dropProviderKey = (api: ApiClient, provider: string, body: Proof) =>
  post(api, `${base}/providers/${provider}/key/delete`, body);
export const testProviderKey = (api: ApiClient, provider: string) =>
  api.post<Schemas["Tested"]>(`${base}/providers/${provider}/test`, {});
export const setOfferPrice = (api: ApiClient, body: Proof & { offer: string; input: string; output: string }) =>
  post(api, `${base}/offers/price`, body);
export const switchOffer = (api: ApiClient, body: { offer: string; off: boolean; reason: string }) =>
  post(api, `${base}/offers/switch`, body);
export const chooseSetting = (api: ApiClient, name: string, body: Proof & { value: string | null }) =>
  post(api, `${base}/settings/${name}`, body);
