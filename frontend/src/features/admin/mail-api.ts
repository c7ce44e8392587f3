import { infiniteQueryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { components } from "@/shared/api/schema.gen";
import type { Proof } from "./admin-api";

type Schemas = components["schemas"];
export type Outbox = Schemas["Outbox"];
export type Mail = Schemas["MailOut"];
export type LinkShown = Schemas["LinkShown"];

const base = "/api/v1/admin";

export const outboxQuery = (api: ApiClient) =>
  infiniteQueryOptions({
    queryKey: ["admin", "mail"],
    queryFn: ({ pageParam, signal }) =>
      api.get<Outbox>(`${base}/mail`, { query: { cursor: pageParam ?? undefined }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
  });

export const sendTest = (api: ApiClient, to: string) =>
  api.post<Schemas["TestSent"]>(`${base}/mail/test`, { to: to || null });
export const sendAgain = (api: ApiClient, id: string, reason: string) =>
  api.post<{ request_id: string }>(`${base}/mail/${id}/again`, { reason });
export const showLink = (api: ApiClient, id: string, proof: Proof) => api.post<LinkShown>(`${base}/mail/${id}/link`, proof);
export const makeResetLink = (api: ApiClient, user: string, proof: Proof) =>
  api.post<LinkShown>(`${base}/people/${user}/reset-link`, proof);
