import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { ApiPath } from "@/shared/api/paths";
import type { components } from "@/shared/api/schema.gen";

type Schemas = components["schemas"];
export type Overview = Schemas["Overview"];
export type Person = Schemas["Person"];
export type Order = Schemas["AdminOrder"];
export type PaymentEvent = Schemas["EventOut"];
export type Returned = Schemas["AdminReturn"];
export type Batch = Schemas["BatchOut"];
export type Dispute = Schemas["AdminDispute"];
export type AuditLine = Schemas["AuditLineOut"];
export type UsageGroup = Schemas["UsageGroup"];

export const base = "/api/v1/admin";

/** Proof that the administrator is still at the keyboard, and the words for the audit log. */
export interface Proof {
  reason: string;
  password: string;
}

export const overviewQuery = (api: ApiClient, days: number) =>
  queryOptions({
    queryKey: ["admin", "overview", days],
    queryFn: ({ signal }) => api.get<Overview>(`${base}/overview`, { query: { days }, signal }),
    refetchInterval: 30_000,
  });

export interface Paged {
  next_cursor: string | number | null;
}

/** A list of one kind, page by page. */
export const listQuery = <Reply extends Paged>(
  api: ApiClient,
  path: ApiPath,
  query: Record<string, string | number | undefined>,
) =>
  infiniteQueryOptions({
    queryKey: ["admin", path, query],
    queryFn: ({ pageParam, signal }) =>
      api.get<Reply>(path, { query: { ...query, cursor: pageParam === null ? undefined : String(pageParam) }, signal }),
    initialPageParam: null as string | number | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
  });

export const peopleQuery = (api: ApiClient, q: string) =>
  listQuery<Paged & { people: Person[] }>(api, `${base}/people`, { q });
export const peopleFoundQuery = (api: ApiClient, q: string) =>
  queryOptions({
    queryKey: ["admin", "people found", q],
    queryFn: ({ signal }) => api.get<{ people: Person[] }>(`${base}/people`, { query: { q, limit: 5 }, signal }),
  });
export const callsQuery = (
  api: ApiClient,
  where: { user_id: string | undefined; status: string | undefined; model: string | undefined },
) => listQuery<Schemas["EverybodysActivity"]>(api, `${base}/activity`, where);
export const accessQuery = (api: ApiClient, user: string) =>
  queryOptions({
    queryKey: ["admin", "access", user],
    queryFn: ({ signal }) => api.get<Schemas["Access"]>(`${base}/people/${user}/access`, { signal }),
    staleTime: 0,
  });
export const adminOrdersQuery = (api: ApiClient, state: string) =>
  listQuery<Paged & { orders: Order[] }>(api, `${base}/orders`, { state: state || undefined });
export const eventsQuery = (api: ApiClient) =>
  listQuery<Paged & { events: PaymentEvent[] }>(api, `${base}/payment-events`, { outcome: "refused" });
export const returnsQuery = (api: ApiClient) => listQuery<Paged & { returns: Returned[] }>(api, `${base}/refunds`, {});
export const disputesQuery = (api: ApiClient, state: string) =>
  listQuery<Paged & { disputes: Dispute[] }>(api, `${base}/disputes`, { state: state || undefined });
export const auditQuery = (api: ApiClient, where: { actor?: string; act?: string; object?: string }) =>
  listQuery<Paged & { lines: AuditLine[] }>(api, `${base}/audit`, where);

export const batchesQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["admin", "codes"],
    queryFn: ({ signal }) => api.get<{ batches: Batch[] }>(`${base}/codes`, { signal }),
    staleTime: 0,
  });

export const evidenceQuery = (api: ApiClient, id: string) =>
  queryOptions({
    queryKey: ["admin", "dispute", id],
    queryFn: ({ signal }) => api.get<Schemas["AdminDisputeReply"]>(`${base}/disputes/${id}`, { signal }),
  });

export const usageOfAllQuery = (api: ApiClient, by: string, days: number) =>
  queryOptions({
    queryKey: ["admin", "usage", by, days],
    queryFn: ({ signal }) =>
      api.get<Schemas["UsageFound"]>(`${base}/usage/query`, {
        query: {
          metrics: ["spend", "provider_cost", "margin", "requests", "tokens", "error_share"],
          by: [by],
          days,
          tz: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
        },
        signal,
      }),
  });

export type PriceReview = Schemas["PriceReview"];

export const priceReviewsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["admin", "prices"],
    queryFn: ({ signal }) => api.get<{ reviews: PriceReview[] }>(`${base}/price-reviews`, { signal }),
    staleTime: 0,
  });

export const post = (api: ApiClient, path: ApiPath, body: unknown) => api.post<{ request_id: string }>(path, body);

export const giveCredit = (
  api: ApiClient,
  user: string,
  body: Proof & { amount: string; gift: boolean; idempotency_key: string },
) => post(api, `${base}/people/${user}/credit`, body);
export const giveCredits = (
  api: ApiClient,
  body: Proof & { users: string[]; amount: string; gift: boolean; idempotency_key: string },
) => post(api, `${base}/credits`, body);
export const endSession = (api: ApiClient, user: string, session: string, reason: string) =>
  post(api, `${base}/people/${user}/sessions/${session}/end`, { reason });
export const revokeKey = (api: ApiClient, user: string, key: string, reason: string) =>
  post(api, `${base}/people/${user}/keys/${key}/revoke`, { reason });
export const trust = (api: ApiClient, user: string, body: { trusted: boolean; reason: string }) =>
  post(api, `${base}/people/${user}/trust`, body);

export const setRole = (api: ApiClient, user: string, body: Proof & { role: "user" | "admin" }) =>
  post(api, `${base}/people/${user}/role`, body);
export const suspend = (api: ApiClient, body: { users: string[]; suspended: boolean; reason: string }) =>
  post(api, `${base}/suspensions`, body);
export const signOut = (api: ApiClient, user: string, reason: string) =>
  post(api, `${base}/people/${user}/signout`, { reason });
export const received = (
  api: ApiClient,
  id: string,
  body: Proof & { amount: number; currency: string; reference: string },
) => post(api, `${base}/orders/${id}/received`, body);
export const cancelOrder = (api: ApiClient, id: string, reason: string) =>
  post(api, `${base}/orders/${id}/cancel`, { reason });
export const chargeBack = (api: ApiClient, id: string, body: Proof & { amount: number; reference: string }) =>
  post(api, `${base}/orders/${id}/chargeback`, body);
export const reinstate = (api: ApiClient, id: string, body: Proof & { reference: string }) =>
  post(api, `${base}/orders/${id}/reinstate`, body);
export const closeRefund = (api: ApiClient, id: string, body: Proof & { sent: boolean; reference: string | null }) =>
  post(api, `${base}/refunds/${id}/close`, body);
export const decide = (api: ApiClient, id: string, body: Proof & { grant: boolean }) =>
  post(api, `${base}/disputes/${id}`, body);
export const makeCodes = (api: ApiClient, body: Proof & Omit<Schemas["MakeCodes"], "reason" | "password">) =>
  api.post<Schemas["MadeCodes"]>(`${base}/codes`, body);
export const revokeCodes = (api: ApiClient, id: string, reason: string) =>
  post(api, `${base}/codes/${id}/revoke`, { reason });

export const decidePrice = (api: ApiClient, id: string, body: Proof & { accept: boolean }) =>
  post(api, `${base}/price-reviews/${id}`, body);

export const auditFile = async (api: ApiClient) => (await api.raw("GET", `${base}/audit.csv`, { auth: "required" })).blob();
