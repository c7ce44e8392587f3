import { money } from "@/shared/lib/format";
import type { Live } from "./use-side";

const CHARACTERS_PER_TOKEN = 4;
const LEAST_MS = 500;

/**
 * What an answer on its way has come to so far, about, until the server says it exactly: the cost is that of its output.
 * outputPrice: dollars per million tokens; askedAt, now: ms of `performance.now()`, askedAt null = not asked by this page.
 */
export function soFar(live: Live | null, outputPrice: number | null, askedAt: number | null, now: number): string[] {
  if (!live || live.firstAt === null) return [];
  const tokens = Math.ceil((live.run.text.length + live.run.reasoning.length) / CHARACTERS_PER_TOKEN);
  const facts = [`~${tokens} out`];
  if (outputPrice !== null) facts.push(outputPrice === 0 ? "free" : `~${money((tokens * outputPrice) / 1_000_000)} so far`);
  if (askedAt !== null) facts.push(`${((live.firstAt - askedAt) / 1000).toFixed(1)} s to first token`);
  const writing = now - live.firstAt;
  if (askedAt !== null && writing >= LEAST_MS) facts.push(`~${Math.round(tokens / (writing / 1000))} tokens/s`);
  return facts;
}
