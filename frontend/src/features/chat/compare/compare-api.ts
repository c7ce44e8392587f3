import { queryOptions } from "@tanstack/react-query";
import type { RunTimings, RunUsage } from "@/features/chat/talk/run-reducer";
import { type ChatSettings, settingsBody } from "@/features/chat/talk/settings";
import type { ApiClient } from "@/shared/api/client";

const base = "/api/v1/marketplace/comparisons" as const;
const one = (id: string) => `${base}/${encodeURIComponent(id)}` as const;

export const MOST = 4;
export type Side = "a" | "b" | "c" | "d";
export type Choice = Side | "tie" | "both_bad";
export const criteria = ["accuracy", "completeness", "clarity", "brevity", "instructions"] as const;

/** One column. While a blind comparison is veiled only the first five fields are there. */
export interface ComparedAnswer {
  side: Side;
  run_id: string;
  status: "running" | "ok" | "partial" | "failed";
  content: string;
  error: { code?: string; error?: string } | null;
  asked?: string;
  model?: string;
  provider?: string;
  request_id?: string | null;
  cost?: number;
  usage?: RunUsage | null;
  timings?: RunTimings | null;
  finish_reason?: string | null;
}

type WirePart = { type: "text"; text: string } | { type: "image_url"; image_url: { url: string } };

export interface Comparison {
  id: string;
  blind: boolean;
  revealed: boolean;
  after: string | null;
  models: string[];
  messages: { role: string; content: string | WirePart[] }[];
  vote: Choice | null;
  criteria: string[];
  reason: string;
  cost: number | null;
  created_at: string;
  answers: ComparedAnswer[];
}

export interface Question {
  models: readonly string[];
  prompt: string;
  images: readonly string[];
  blind: boolean;
  after: string | null;
  settings: ChatSettings;
}

/** What the server is sent: the same for asking and for the estimate. */
export const questionBody = ({ models, prompt, images, blind, after, settings }: Question): Record<string, unknown> => ({
  prompt,
  ...(images.length ? { images } : {}),
  ...(after ? { after } : { models, blind }),
  ...settingsBody(settings),
});

export const startComparison = (api: ApiClient, question: Question) =>
  api.post<{ comparison: Comparison }>(base, questionBody(question));

export interface SummedEstimate {
  estimates: { asked: string; error?: string }[];
  total: { p50: number; p95: number; maximum: number };
  affordable: boolean;
}

export const estimateComparison = (api: ApiClient, body: unknown, signal: AbortSignal) =>
  api.post<SummedEstimate>(`${base}/estimate`, body, { signal, auth: "background" });

export const comparisonQuery = (api: ApiClient, token: string | null, id: string | null) =>
  queryOptions({
    queryKey: ["comparison", token, id],
    queryFn: ({ signal }) => api.get<{ comparison: Comparison }>(one(id ?? ""), { signal }),
    select: (reply) => reply.comparison,
    enabled: token !== null && id !== null,
  });

export const comparisonsQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["comparisons", token],
    queryFn: ({ signal }) => api.get<{ comparisons: Comparison[] }>(base, { signal, query: { limit: 20 } }),
    select: (reply) => reply.comparisons,
    enabled: token !== null,
  });

export const castVote = (api: ApiClient, id: string, vote: { vote: Choice; criteria: string[]; reason: string }) =>
  api.post<{ comparison: Comparison }>(`${one(id)}/vote`, vote);

export const reveal = (api: ApiClient, id: string) => api.post<{ comparison: Comparison }>(`${one(id)}/reveal`, {});

export const retrySide = (api: ApiClient, id: string, side: Side) =>
  api.post<{ comparison: Comparison }>(`${one(id)}/answers/${side}/retry`, {});

export const continueWith = (api: ApiClient, id: string, side: Side) =>
  api.post<{ conversation_id: string }>(`${one(id)}/continue`, { side });

/** The question in words. */
export function questionText(comparison: Comparison): string {
  const last = comparison.messages.findLast(({ role }) => role === "user");
  if (!last) return "";
  if (typeof last.content === "string") return last.content;
  return last.content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
}
