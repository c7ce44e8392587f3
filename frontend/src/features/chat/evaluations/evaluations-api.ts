import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";

const evaluations = "/api/v1/marketplace/evaluations";

export interface Evaluation {
  id: string;
  name: string;
  state: "running" | "done" | "stopped" | "failed";
  reason: string | null;
  items: number;
  expected_answers: number;
  answers: number;
  failed: number;
  budget: number;
  cost: number;
  models: { asked: string; answers: number; failed: number; cost: number }[];
  created_at: string;
}

export interface NewEvaluation {
  file: File;
  models: readonly string[];
  budget: number;
  maxTokens: number;
  name: string;
}

const TICK_MS = 2000;

/** While one runs the list is asked again: it is the progress bar. */
export const evaluationsQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["evaluations", token],
    queryFn: ({ signal }) => api.get<{ evaluations: Evaluation[] }>(evaluations, { signal }),
    enabled: token !== null,
    refetchInterval: ({ state }) => (state.data?.evaluations.some((each) => each.state === "running") ? TICK_MS : false),
  });

export const formatOf = ({ name }: Pick<File, "name">): "csv" | "jsonl" => (/\.csv$/i.test(name) ? "csv" : "jsonl");

export const startEvaluation = (api: ApiClient, { file, models, budget, maxTokens, name }: NewEvaluation) =>
  api.post<{ evaluation: Evaluation }>(evaluations, file, {
    query: { model: models, budget, max_tokens: maxTokens, name, format: formatOf(file) },
  });

const one = (id: string) => `${evaluations}/${encodeURIComponent(id)}` as const;

export const stopEvaluation = (api: ApiClient, id: string) => api.post(`${one(id)}/stop`);

export const resumeEvaluation = (api: ApiClient, id: string, budget: number) =>
  api.post(`${one(id)}/resume`, undefined, { query: { budget } });

export const deleteEvaluation = (api: ApiClient, id: string) => api.delete(one(id));

export async function evaluationResults(api: ApiClient, id: string, format: "csv" | "jsonl"): Promise<Blob> {
  const response = await api.raw("GET", `${one(id)}/results`, {
    query: { format },
    auth: "required",
    headers: { Accept: "*/*" },
  });
  return response.blob();
}
