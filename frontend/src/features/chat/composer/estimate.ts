import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type Estimate, type EstimateInput, estimateCost } from "@/features/chat/talk/chat-api";
import { isApiError } from "@/shared/api/errors";
import { useApi, useSession } from "@/shared/api/services";
import { money, tokens } from "@/shared/lib/format";

const QUIET_MS = 400;

/** The server's estimate for what would be sent, asked once the typing pauses; null input asks nothing. */
export function useEstimate(input: EstimateInput | null): { estimate?: Estimate; problem: string | null } {
  const api = useApi();
  const { token } = useSession();
  const settled = useSettled(input === null ? "" : JSON.stringify(input));
  const query = useQuery({
    queryKey: ["estimate", token, settled],
    queryFn: ({ signal }) => estimateCost(api, JSON.parse(settled) as EstimateInput, signal),
    enabled: token !== null && settled !== "",
    staleTime: 30_000,
    gcTime: 60_000,
    retry: false,
  });
  if (input === null) return { problem: null };
  return { estimate: query.data, problem: refusal(query.error) };
}

/** Why it would be refused, where the question itself is the reason; anything else is told when it is sent. */
export function refusal(error: Error | null): string | null {
  if (!isApiError(error) || error.code !== "context_length_exceeded") return null;
  return `This does not fit: ${error.message}. Shorten it, or choose a model that takes more (/model).`;
}

function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), QUIET_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/** For example "about $0.0021, rarely over $0.012, at most $0.04 · 1.2K tokens in". */
export function estimateWords({ estimate }: Estimate): string {
  const { p50, p95, maximum, input_tokens: input } = estimate;
  const rarely = p50 === p95 ? "" : `, rarely over ${money(p95)}`;
  const most = maximum > p95 ? `, at most ${money(maximum)}` : "";
  const cost = maximum === 0 ? "free" : `about ${money(p50)}${rarely}${most}`;
  return `${cost} · ${tokens(input)} tokens in`;
}

/** What the send button says instead of "Send" when the balance is short; null when it is not. */
export function shortfallWords(estimate: Estimate | undefined, available: number | undefined): string | null {
  if (!estimate || estimate.affordable) return null;
  const needs = `Needs ${money(estimate.estimate.p95)}`;
  return available === undefined ? needs : `${needs}, you have ${money(available)}`;
}
