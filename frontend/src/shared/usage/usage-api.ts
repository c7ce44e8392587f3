import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { components } from "@/shared/api/schema.gen";
import { type Filters, filterQuery } from "./filters";

type Schemas = components["schemas"];
export type UsageGroup = Schemas["UsageGroup"];
export type UsageFound = Schemas["UsageFound"];
export type ActivityCall = Schemas["ActivityCall"];
export type InFlight = Schemas["InFlight"];
type ActivityPage = Schemas["Activity"];

const base = "/api/v1/marketplace";

type Dimension = "time" | "model" | "provider" | "key" | "agent" | "conversation" | "status";
export type Granularity = "hour" | "day" | "week" | "month";

/** The reader's own time zone: days are theirs, not the server's. */
export const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export interface Question {
  metrics: readonly string[];
  by: readonly Dimension[];
  granularity?: Granularity;
  filters: Filters;
}

export const usageQuery = (api: ApiClient, token: string | null, question: Question) =>
  queryOptions({
    queryKey: ["usage", token, zone(), question],
    queryFn: ({ signal }) =>
      api.get<UsageFound>(`${base}/usage/query`, {
        query: {
          metrics: question.metrics,
          by: question.by,
          granularity: question.granularity,
          tz: zone(),
          ...filterQuery(question.filters),
        },
        signal,
      }),
    enabled: token !== null,
    staleTime: 5_000,
    placeholderData: (before) => before,
  });

const since = (filters: Filters): string =>
  new Date(Math.floor(Date.now() / 60_000) * 60_000 - filters.days * 86_400_000).toISOString();

const page = (api: ApiClient, filters: Filters, cursor: string | null, limit: number, signal?: AbortSignal) => {
  const { days: _, ...chosen } = filterQuery(filters);
  return api.get<ActivityPage>(`${base}/activity`, {
    query: { ...chosen, since: since(filters), cursor, limit },
    signal,
  });
};

/** Pages that stay where they are: what comes meanwhile is counted by `newestQuery`, and shown when it is asked for. */
export const activityQuery = (api: ApiClient, token: string | null, filters: Filters) =>
  infiniteQueryOptions({
    queryKey: ["activity", token, filters],
    queryFn: ({ pageParam, signal }) => page(api, filters, pageParam, 50, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    enabled: token !== null,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });

export const newestQuery = (api: ApiClient, token: string | null, filters: Filters) =>
  queryOptions({
    queryKey: ["activity-newest", token, filters],
    queryFn: ({ signal }) => page(api, filters, null, 50, signal),
    enabled: token !== null,
    refetchInterval: 4_000,
    staleTime: 0,
  });

export async function exportActivity(api: ApiClient, filters: Filters, format: "csv" | "jsonl"): Promise<Blob> {
  const { days: _, ...chosen } = filterQuery(filters);
  const reply = await api.raw("GET", `${base}/activity/export`, {
    query: { ...chosen, since: since(filters), format },
    auth: "required",
  });
  return reply.blob();
}
