import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { components } from "@/shared/api/schema.gen";
import { base, listQuery, type Paged, type Proof, post } from "./admin-api";

type Schemas = components["schemas"];
export type Waiting = Schemas["QueueEntry"];
export type FoundAgent = Schemas["AgentFound"];
export type FoundServer = Schemas["ServerFound"];
export type Author = Schemas["Author"];
export type Decision = "approve" | "reject" | "suspend" | "restore";

export const agentQueueQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["admin", "agents", "queue"],
    queryFn: ({ signal }) => api.get<Schemas["Queue"]>(`${base}/agents/queue`, { signal }),
    staleTime: 0,
  });

export const agentReportsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["admin", "agents", "reports"],
    queryFn: ({ signal }) => api.get<Schemas["Reports"]>(`${base}/agents/reports`, { signal }),
    staleTime: 0,
  });

export const authorsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["admin", "agents", "authors"],
    queryFn: ({ signal }) => api.get<Schemas["Authors"]>(`${base}/agents/authors`, { signal }),
    staleTime: 0,
  });

export const foundAgentsQuery = (api: ApiClient, q: string) =>
  listQuery<Paged & { agents: FoundAgent[] }>(api, `${base}/agents/found`, { q });
export const foundServersQuery = (api: ApiClient, q: string) =>
  listQuery<Paged & { servers: FoundServer[] }>(api, `${base}/agents/tool-servers`, { q });

export const decideVersion = (
  api: ApiClient,
  id: string,
  version: number,
  body: { decision: Decision; reason: string; password: string },
) => post(api, `${base}/agents/${id}/versions/${version}/decision`, body);
export const closeReport = (api: ApiClient, id: string, reason: string) =>
  post(api, `${base}/agents/reports/${id}/close`, { reason });
export const stopServer = (api: ApiClient, id: string, body: Proof & { stopped: boolean }) =>
  post(api, `${base}/agents/tool-servers/${id}/stop`, body);
export const recordPayout = (api: ApiClient, author: string, body: Proof & { amount: string; reference: string }) =>
  post(api, `${base}/agents/authors/${author}/payouts`, body);
