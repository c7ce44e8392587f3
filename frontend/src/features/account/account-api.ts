import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { Session } from "@/shared/api/session";

const base = "/api/v1/marketplace";

/** What one is told by mail. `mail`: whether this server sends any; `low_balance`: dollars, null = never. */
export interface Notices {
  mail: boolean;
  low_balance: number | null;
  /** One's address waits to be confirmed. */
  unconfirmed: boolean;
}

export const noticesQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["notices", token],
    queryFn: ({ signal }) => api.get<Notices>(`${base}/notices`, { signal }),
    enabled: token !== null,
  });

export const setNotices = (api: ApiClient, low: string) => api.put<Notices>(`${base}/notices`, { low_balance: low || null });

export const confirmAgain = (api: ApiClient) => api.post<{ sent: boolean }>(`${base}/auth/confirm/again`, {});

/** One movement of the wallet; amounts are decimal strings in dollars. */
export interface StatementEntry {
  id: number | string;
  at: string;
  kind: string;
  amount: string;
  balance_after: string;
  request_id: string | null;
  memo: string;
}

export interface Plan {
  name: string;
  price: number | string;
  days?: number;
  description?: string;
}

export const statementQuery = (api: ApiClient, token: string | null) =>
  infiniteQueryOptions({
    queryKey: ["statement", token],
    queryFn: ({ pageParam, signal }) =>
      api.get<{ entries: StatementEntry[]; next_cursor: string | null }>(`${base}/billing/statement`, {
        query: { cursor: pageParam, limit: 25 },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    enabled: token !== null,
    staleTime: 0,
  });

export const plansQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["plans"],
    queryFn: ({ signal }) => api.get<{ plans: Plan[] }>(`${base}/billing/plans`, { signal }),
    select: (reply) => reply.plans,
  });

export const subscribe = (api: ApiClient, plan: string, idempotencyKey: string) =>
  api.post<{ tier: string; expires_at: string | null; balance: number }>(`${base}/billing/subscribe`, {
    plan,
    idempotency_key: idempotencyKey,
  });

/** Signs out, here also when the server cannot be told: the token then dies at its end. */
export async function leave(api: ApiClient, session: Session): Promise<void> {
  await api.post(`${base}/auth/signout`, {}, { auth: "background" }).catch(() => undefined);
  session.signedOut();
}

export const changePassword = (api: ApiClient, current: string, next: string, revokeKeys: boolean) =>
  api.post<{ token: string }>(`${base}/auth/password`, {
    current_password: current,
    new_password: next,
    revoke_keys: revokeKeys,
  });

export const deleteAccount = (api: ApiClient, password: string) => api.delete(`${base}/account`, { password });

export const exportAccount = async (api: ApiClient) =>
  (await api.raw("GET", `${base}/account/export`, { auth: "required" })).blob();
