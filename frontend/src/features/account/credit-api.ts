import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { components } from "@/shared/api/schema.gen";

type Schemas = components["schemas"];
export type Offered = Schemas["Offered"];
export type Order = Schemas["OrderOut"];
export type Method = Offered["methods"][number];

const base = "/api/v1/marketplace/payments";

export const offeredQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["payments", token],
    queryFn: ({ signal }) => api.get<Offered>(base, { signal }),
    enabled: token !== null,
  });

export const ordersQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["orders", token],
    queryFn: ({ signal }) => api.get<{ orders: Order[] }>(`${base}/orders`, { query: { limit: 10 }, signal }),
    select: (reply) => reply.orders,
    enabled: token !== null,
    staleTime: 0,
    // A payment made elsewhere shows by itself.
    refetchInterval: (query) => (query.state.data?.orders.some((order) => order.state === "pending") ? 10_000 : false),
  });

export const refundableQuery = (api: ApiClient, id: string) =>
  queryOptions({
    queryKey: ["order", id],
    queryFn: ({ signal }) => api.get<{ refundable: number | null }>(`${base}/orders/${id}`, { signal }),
    staleTime: 0,
  });

export const makeOrder = (api: ApiClient, method: Method, amount: string, attempt: string) =>
  api.post<{ order: Order }>(`${base}/orders`, { method, amount, attempt });

export const cancelOrder = (api: ApiClient, id: string) => api.post<{ order: Order }>(`${base}/orders/${id}/cancel`, {});

export const askRefund = (api: ApiClient, id: string) =>
  api.post<{ refund: Schemas["ReturnOut"] }>(`${base}/orders/${id}/refund`, {});

export type Recharge = Schemas["RechargeReply"];

export const rechargeQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["recharge", token],
    queryFn: ({ signal }) => api.get<Recharge>(`${base}/recharge`, { signal }),
    enabled: token !== null,
    staleTime: 0,
    // A card that is being saved at Stripe's page shows by itself.
    refetchInterval: (query) => (query.state.data?.recharge?.state === "waiting" ? 5_000 : false),
  });

export const agreeToRecharge = (api: ApiClient, body: Schemas["MakeRecharge"]) =>
  api.post<Recharge>(`${base}/recharge`, body);

export const stopRecharge = (api: ApiClient) => api.post<Recharge>(`${base}/recharge/off`, {});

export const forgetCard = (api: ApiClient) => api.delete(`${base}/recharge`);

export const redeem = (api: ApiClient, code: string) => api.post<{ order: Order }>(`${base}/redeem`, { code });
