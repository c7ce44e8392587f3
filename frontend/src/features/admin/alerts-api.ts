import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { components } from "@/shared/api/schema.gen";
import type { Proof } from "./admin-api";

type Schemas = components["schemas"];
export type AlertRule = Schemas["AlertRule"];
export type AlertTarget = Schemas["AlertTarget"];

const base = "/api/v1/admin/alerts";

export const alertsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["admin", "alerts"],
    queryFn: ({ signal }) => api.get<Schemas["AlertsShown"]>(base, { signal }),
    refetchInterval: 30_000,
    staleTime: 0,
  });

export const setRule = (api: ApiClient, name: string, body: { on: boolean; limit: number; reason: string }) =>
  api.put<{ request_id: string }>(`${base}/rules/${name}`, body);
export const addTarget = (api: ApiClient, body: Proof & { kind: AlertTarget["kind"]; address: string }) =>
  api.post<{ id: string }>(`${base}/targets`, body);
export const testTarget = (api: ApiClient, id: string) => api.post<unknown>(`${base}/targets/${id}/test`, {});
export const removeTarget = (api: ApiClient, id: string, reason: string) =>
  api.delete<{ request_id: string }>(`${base}/targets/${id}`, { reason });
