import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { components } from "@/shared/api/schema.gen";

type Schemas = components["schemas"];
export type Card = Schemas["Card"];
export type Found = Schemas["FoundListing"];
export type Version = Schemas["VersionOut"];
export type Spec = Schemas["SpecOut"];
export type Price = Schemas["PriceOut"];
export type Offered = Schemas["OfferedPage"];
export type Quote = Schemas["QuoteOut"];
export type OwnFigures = Schemas["OwnFiguresReply"];

const base = "/api/v1/agents";
const cardOf = (path: string) => `${base}/listings/${path}` as `${typeof base}/listings/${string}/${string}`;

export const cardQuery = (api: ApiClient, path: string) =>
  queryOptions({
    queryKey: ["agents", "card", path],
    queryFn: ({ signal }) => api.get<Card>(cardOf(path), { signal }),
    staleTime: 5_000,
  });

export const quoteQuery = (api: ApiClient, path: string, version: number) =>
  queryOptions({
    queryKey: ["agents", "quote", path, version],
    queryFn: ({ signal }) => api.get<Quote>(`${cardOf(path)}/quote`, { signal, query: { version } }),
    staleTime: 5_000,
  });

export const publisherQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["agents", "publisher", token],
    queryFn: ({ signal }) => api.get<{ handle: string | null }>(`${base}/publisher`, { signal }),
    enabled: token !== null,
  });

export const mineQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["agents", "mine", token],
    queryFn: ({ signal }) => api.get<Schemas["OfferedList"]>(`${base}/offered`, { signal }),
    enabled: token !== null,
    staleTime: 0,
  });

export const ownQuery = (api: ApiClient, token: string | null, id: string) =>
  queryOptions({
    queryKey: ["agents", "own", token, id],
    queryFn: ({ signal }) => api.get<Offered>(`${base}/offered/${id}`, { signal }),
    enabled: token !== null && id !== "",
    staleTime: 0,
  });

export const figuresQuery = (api: ApiClient, token: string | null, id: string) =>
  queryOptions({
    queryKey: ["agents", "figures", token, id],
    queryFn: ({ signal }) => api.get<OwnFigures>(`${base}/offered/${id}/figures`, { signal }),
    enabled: token !== null && id !== "",
    staleTime: 0,
  });

export const earningsQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["agents", "earnings", token],
    queryFn: ({ signal }) => api.get<Schemas["EarnedReply"]>(`${base}/earnings`, { signal }),
    enabled: token !== null,
    staleTime: 0,
  });

export const agree = (api: ApiClient, path: string, version: number, pin: boolean) =>
  api.post(`${cardOf(path)}/consent`, { version, pin });
export const takeBack = (api: ApiClient, path: string) => api.delete(`${cardOf(path)}/consent`);
export const rate = (api: ApiClient, path: string, run: string, stars: number, words: string) =>
  api.put(`${cardOf(path)}/rating`, { run_id: run, stars, words });
export const report = (api: ApiClient, path: string, version: number, why: string, words: string) =>
  api.post(`${cardOf(path)}/report`, { version, why, words });
export const fork = (api: ApiClient, path: string, slug: string) =>
  api.post<Schemas["OfferedReply"]>(`${cardOf(path)}/fork`, { slug });
export const takeHandle = (api: ApiClient, handle: string) => api.put(`${base}/publisher`, { handle });

/** What a version takes; amounts are texts in dollars. */
export type Draft = Schemas["SpecBody"];
export const create = (api: ApiClient, slug: string, version: Draft) =>
  api.post<Schemas["OfferedReply"]>(`${base}/offered`, { slug, version });
export const addVersion = (api: ApiClient, id: string, version: Draft) =>
  api.post<{ version: Version }>(`${base}/offered/${id}/versions`, version);
export const submit = (api: ApiClient, id: string, version: number, visibility: string) =>
  api.post<{ version: Version }>(`${base}/offered/${id}/versions/${version}/submit`, { visibility });
export const withdraw = (api: ApiClient, id: string, version: number) =>
  api.post<{ version: Version }>(`${base}/offered/${id}/versions/${version}/withdraw`);

export interface Run {
  run_id: string;
  state: string;
  stop_reason: string;
  result: string | null;
  spent: number | string;
}

/** An id that is known before the run begins, so that it can be stopped. */
export const newRunId = (): string => `run_${crypto.randomUUID().replaceAll("-", "")}`;
export const run = (api: ApiClient, id: string, model: string, input: string, cap: string) =>
  api.post<{ run: Run }>(`${base}/runs`, { run_id: id, model, input, cap, wait: true });
export const cancel = (api: ApiClient, id: string) => api.post(`${base}/runs/${id}/cancel`);

/** What an author's fee comes to, in words. */
export function feeWords(price: Price, money: (dollars: number | string) => string): string {
  const parts = [
    price.fee_run > 0 && `${money(price.fee_run)} a run`,
    price.fee_step > 0 && `${money(price.fee_step)} a step`,
    price.model_cost_bp > 0 && `${price.model_cost_bp / 100} % of the models' cost`,
  ].filter(Boolean);
  if (price.max_fee === 0 || parts.length === 0) return "no fee";
  return `${parts.join(" and ")}, at most ${money(price.max_fee)}`;
}
