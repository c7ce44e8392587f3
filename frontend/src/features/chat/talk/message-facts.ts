import { money, tokens } from "@/shared/lib/format";
import type { ChatMessage } from "./chat-message";

type Facts = Pick<ChatMessage, "usage" | "cost" | "timings">;

/** An answer's numbers in words, for example "1.2K in · 212 out · $0.003 · 0.4 s to first token · 52 tokens/s". */
export function messageFacts({ usage, cost, timings }: Facts): string[] {
  const facts: string[] = [];
  const about = usage?.estimated ? "~" : "";
  if (usage?.input_tokens !== undefined) {
    const cached = usage.cache_read_tokens ? ` (${tokens(usage.cache_read_tokens)} cached)` : "";
    facts.push(`${about}${tokens(usage.input_tokens)} in${cached}`);
  }
  if (usage?.output_tokens !== undefined) facts.push(`${about}${tokens(usage.output_tokens)} out`);
  if (cost !== undefined) facts.push(cost === 0 ? "free" : money(cost));
  if (timings?.first_token_ms !== undefined) facts.push(`${seconds(timings.first_token_ms)} to first token`);
  const speed = tokensPerSecond({ usage, timings });
  if (speed !== undefined) facts.push(`${speed} tokens/s`);
  return facts;
}

/** Speed after the first token, or undefined where it cannot be told honestly (under two tokens or 50 ms). */
export function tokensPerSecond({ usage, timings }: Pick<ChatMessage, "usage" | "timings">): number | undefined {
  const out = usage?.output_tokens;
  if (out === undefined || timings?.total_ms === undefined || timings.first_token_ms === undefined) return undefined;
  const writing = timings.total_ms - timings.first_token_ms;
  if (out < 2 || writing < 50) return undefined;
  const speed = ((out - 1) / writing) * 1000;
  return speed >= 10 ? Math.round(speed) : Number(speed.toFixed(1));
}

/** What is read out when an answer is complete. */
export function completionWords(message: Pick<ChatMessage, "status" | "usage" | "cost">): string {
  const ends = { complete: "Answer complete", stopped: "Stopped", cut: "Answer cut off", failed: "No answer", running: "" };
  const parts = [ends[message.status]];
  if (message.usage?.output_tokens !== undefined) parts.push(`${message.usage.output_tokens} tokens`);
  if (message.cost !== undefined) parts.push(message.cost === 0 ? "free" : money(message.cost));
  return parts.join(", ");
}

function seconds(milliseconds: number): string {
  return milliseconds < 950 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** What a whole path of messages has cost, in dollars and tokens. */
export function totals(path: readonly ChatMessage[]): { cost: number; input: number; output: number; answers: number } {
  const sum = { cost: 0, input: 0, output: 0, answers: 0 };
  for (const { role, cost, usage } of path) {
    if (role !== "assistant") continue;
    sum.answers += 1;
    sum.cost += cost ?? 0;
    sum.input += usage?.input_tokens ?? 0;
    sum.output += usage?.output_tokens ?? 0;
  }
  return sum;
}
