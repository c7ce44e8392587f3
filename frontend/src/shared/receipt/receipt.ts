import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { Prices } from "@/shared/api/types";

export interface Attempt {
  provider: string | null;
  model: string | null;
  why?: string | null;
  credential?: string | null;
  status: string | null;
  reason?: string | null;
  duration_ms?: number;
  may_be_billed?: boolean;
}

/** What happened on one call. Money in dollars. */
export interface Generation {
  request_id: string;
  model: string;
  provider: string;
  status: string;
  created_at: string;
  cost: number;
  absorbed?: number;
  list_cost?: number | null;
  hold?: number | null;
  price?: Prices | null;
  attempts?: Attempt[];
  skipped?: { provider?: string; model?: string; reason?: string }[];
  requested_model?: string | null;
  is_byok?: boolean;
  finish_reason?: string | null;
  notes?: { field: string; act: string; reason: string }[];
  fallback?: { from: string; to: string; reason: string } | null;
  estimate?: { p50: number; p95: number; maximum: number } | null;
  timings?: { first_token_ms?: number | null; total_ms?: number | null } | null;
  usage?: {
    input_tokens?: number;
    output_tokens?: number;
    cache_read_tokens?: number;
    cache_write_tokens?: number;
    reasoning_tokens?: number;
    estimated?: boolean;
  } | null;
  error?: { code: string; words?: string } | null;
  /** What the account said of the answer. */
  thumb?: { kind: string; reason: string | null } | null;
}

/** Why an answer was bad, as the server calls it and in words. */
export const thumbReasons: Record<string, string> = {
  wrong: "It is wrong",
  incomplete: "It is incomplete",
  instructions: "It ignored instructions",
  too_long: "It is too long",
  style: "Its style",
  refused: "It refused",
};

export const generationQuery = (api: ApiClient, requestId: string) =>
  queryOptions({
    queryKey: ["generation", requestId],
    queryFn: ({ signal }) =>
      api.get<{ generation: Generation }>(`/api/v1/marketplace/generations/${encodeURIComponent(requestId)}`, {
        signal,
        auth: "required",
      }),
    select: (reply) => reply.generation,
    staleTime: Number.POSITIVE_INFINITY,
  });

/** How the charge compares with what was said before sending, in words; null where nothing was said. */
export function estimateVerdict({ cost, estimate }: Pick<Generation, "cost" | "estimate">): string | null {
  if (!estimate) return null;
  if (cost <= estimate.p50) return "at or under the usual estimate";
  if (cost <= estimate.p95) return "within the estimated range";
  return cost <= estimate.maximum ? "a long answer, under the stated maximum" : "over the stated maximum";
}
