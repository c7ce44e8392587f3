import type { ApiError } from "@/shared/api/errors";

/** A failure as the person meets it: which of the page's states to show, and what it has to say. */
export type Problem =
  | { kind: "sign-in" }
  | { kind: "payment"; required?: number; available?: number; maxTokens?: number; alternative?: ModelRef }
  | { kind: "forbidden"; tier?: string }
  | { kind: "model-gone"; nearest: ModelRef[] }
  /** It is offered, but nobody here has a key for it. */
  | { kind: "needs-key"; providers: string[] }
  | { kind: "rate-limit"; seconds: number }
  | { kind: "provider" }
  | { kind: "offline" }
  | { kind: "other" };

export interface ModelRef {
  id: string;
  name?: string;
}

const DEFAULT_WAIT_S = 5;

/** Seconds are whole; amounts are dollars. */
export function problemOf(error: ApiError): Problem {
  const { extra, status, code } = error;
  if (code === "offline") return { kind: "offline" };
  if (status === 401) return { kind: "sign-in" };
  if (status === 402) {
    return {
      kind: "payment",
      required: amount(extra.required),
      available: amount(extra.available ?? extra.balance),
      maxTokens: amount(extra.max_affordable_tokens),
      alternative: modelRef(extra.free_alternative),
    };
  }
  if (status === 403)
    return { kind: "forbidden", tier: typeof extra.required_tier === "string" ? extra.required_tier : undefined };
  if (status === 404) return notFound(error);
  if (status === 429) return { kind: "rate-limit", seconds: Math.max(1, Math.ceil(error.retryAfter ?? DEFAULT_WAIT_S)) };
  if (status === 502 || status === 503 || status === 504) return { kind: "provider" };
  return { kind: "other" };
}

function notFound({ message, extra }: ApiError): Problem {
  const nearest = modelRefs(extra.nearest);
  const { affected_providers: affected } = (extra.availability ?? {}) as { affected_providers?: unknown };
  const providers = Array.isArray(affected) ? affected.filter((name) => typeof name === "string") : [];
  const keyless = providers.length > 0 && nearest.length === 0 && /\bkey\b/.test(message);
  return keyless ? { kind: "needs-key", providers } : { kind: "model-gone", nearest };
}

function amount(value: unknown): number | undefined {
  const read = typeof value === "string" ? Number(value) : value;
  return typeof read === "number" && Number.isFinite(read) ? read : undefined;
}

function modelRef(value: unknown): ModelRef | undefined {
  if (typeof value === "string" && value) return { id: value };
  if (typeof value !== "object" || value === null) return undefined;
  const { id, name } = value as { id?: unknown; name?: unknown };
  return typeof id === "string" ? { id, name: typeof name === "string" ? name : undefined } : undefined;
}

function modelRefs(value: unknown): ModelRef[] {
  const list = Array.isArray(value) ? value : [value];
  return list.map(modelRef).filter((ref) => ref !== undefined);
}
