import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { components } from "@/shared/api/schema.gen";

type Schemas = components["schemas"];
export type Run = Schemas["RunOut"];
export type RunStep = Schemas["StepOut"];
export type Question = Schemas["Question"];
type RunLine = Schemas["RunLine"];
type RunReceipt = Schemas["ReceiptOut"];

const agents = "/api/v1/agents";
const one = (id: string) => `${agents}/runs/${encodeURIComponent(id)}` as const;
const WORKING_MS = 1_000;
const WAITING_MS = 5_000;

export const isOver = (state: Run["state"]): boolean => state === "done" || state === "failed" || state === "cancelled";

/** A run as it now is: asked for anew each second while it works, so that its steps and its cost are live. */
export const runQuery = (api: ApiClient, token: string | null, id: string) =>
  queryOptions({
    queryKey: ["run", token, id],
    queryFn: ({ signal }) => api.get<{ run: Run }>(one(id), { signal }).then((reply) => reply.run),
    enabled: token !== null,
    refetchInterval: ({ state }) => {
      if (!state.data || isOver(state.data.state)) return false;
      return state.data.state === "running" ? WORKING_MS : WAITING_MS;
    },
  });

export const runsQuery = (api: ApiClient, token: string | null) =>
  infiniteQueryOptions({
    queryKey: ["runs", token],
    queryFn: ({ pageParam, signal }) =>
      api.get<{ runs: RunLine[]; next_before: number | null }>(`${agents}/runs`, {
        query: { before: pageParam, limit: 20 },
        signal,
      }),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => last.next_before,
    enabled: token !== null,
    refetchInterval: WAITING_MS,
  });

export const inboxQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["approvals", token],
    queryFn: ({ signal }) =>
      api
        .get<{ approvals: (Question & { agent_id: string })[] }>(`${agents}/approvals`, { signal })
        .then((r) => r.approvals),
    enabled: token !== null,
    refetchInterval: WAITING_MS,
  });

export const receiptQuery = (api: ApiClient, token: string | null, id: string) =>
  queryOptions({
    queryKey: ["run receipt", token, id],
    queryFn: ({ signal }) =>
      api.get<{ receipt: RunReceipt }>(`${one(id)}/receipt`, { signal }).then((reply) => reply.receipt),
    enabled: token !== null,
  });

export const startRun = (
  api: ApiClient,
  body: { agent_id?: string; model?: string; input: string; cap: number; agent?: object },
) => api.post<{ run: Run }>(`${agents}/runs`, body).then((reply) => reply.run);

export const answerQuestion = (api: ApiClient, question: Question, allow: boolean) =>
  api.post<{ run: Run }>(`${one(question.run_id)}/approve`, {
    answers: [{ approval_id: question.approval_id, subject: question.subject, allow }],
  });

export const raiseCap = (api: ApiClient, id: string, cap: number) => api.post<{ run: Run }>(`${one(id)}/cap`, { cap });

export const cancelRun = (api: ApiClient, id: string) => api.post<{ stopped: boolean }>(`${one(id)}/cancel`, {});

export const deleteRun = (api: ApiClient, id: string) => api.delete(one(id));
