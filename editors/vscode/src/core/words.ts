import { Failure, record } from "./api";

export type Act = "signIn" | "topUp" | "offerModels" | "raiseCap" | "retry";

/** A failure in words a person can act upon, and the one thing to do. */
export interface Told {
  words: string;
  act?: Act;
}

export const actWords: Record<Act, string> = {
  signIn: "Sign in",
  topUp: "Open my account",
  offerModels: "Choose another model",
  raiseCap: "Open my keys",
  retry: "Try again",
};

export function told(error: unknown): Told {
  if (!(error instanceof Failure)) return { words: error instanceof Error ? error.message : String(error) };
  const { status, code, message, extra } = error;
  if (status === 401) return { words: "The marketplace does not know this key any more: sign in again.", act: "signIn" };
  if (status === 402) return paymentWords(error);
  if (status === 403 && code === "missing_scope") return { words: `${message}. Sign in again and allow it.`, act: "signIn" };
  if (status === 404) return { words: message + nearest(extra), act: "offerModels" };
  if (status === 429) {
    const wait = error.retryAfter === undefined ? "in a moment" : `in ${Math.ceil(error.retryAfter)} s`;
    return { words: `${stopped(message)} Try again ${wait}.`, act: "retry" };
  }
  if (status === 0) return { words: message };
  return { words: stopped(message), ...(status >= 500 ? { act: "retry" as const } : {}) };
}

function paymentWords({ message, code, extra }: Failure): Told {
  const free = typeof extra.free_alternative === "string" ? ` Free here: ${extra.free_alternative}.` : "";
  if (code === "max_cost_exceeded") {
    return { words: `${stopped(message)} Your limit an answer is the setting agentMarketplace.maxCostPerAnswer.` };
  }
  if (extra.scope === "key" || /\bkey\b/.test(message)) return { words: stopped(message) + free, act: "raiseCap" };
  const short = typeof extra.required === "number" && typeof extra.available === "number";
  const sums = short
    ? ` It needs ${dollars(extra.required as number)}, you have ${dollars(extra.available as number)}.`
    : "";
  return { words: `Your credit does not cover this.${sums}${free}`, act: "topUp" };
}

function nearest(extra: Record<string, unknown>): string {
  const list = Array.isArray(extra.nearest) ? extra.nearest : [];
  const ids = list.map((one) => (typeof one === "string" ? one : String(record(one).id ?? ""))).filter(Boolean);
  return ids.length > 0 ? ` Nearest: ${ids.join(", ")}.` : "";
}

const stopped = (words: string): string => (/[.!?]$/.test(words) ? words : `${words}.`);

/** Four figures of what is small, cents of what is not: $0.00312, $0.0465, $12.40. */
export function dollars(amount: number): string {
  if (amount === 0) return "$0";
  const size = Math.abs(amount);
  if (size < 0.000001) return "under $0.000001";
  if (size >= 1) return `$${amount.toFixed(2)}`;
  const places = Math.min(8, Math.max(2, 2 - Math.floor(Math.log10(size))));
  return `$${amount.toFixed(places).replace(/0+$/, "").replace(/\.$/, "")}`;
}

/** A receipt as Markdown: all that the server says of one call, money first. */
export function receiptMarkdown(found: Record<string, unknown>): string {
  const usage = record(found.usage);
  const estimate = record(found.estimate);
  const timings = record(found.timings);
  const money = (value: unknown) => (typeof value === "number" ? dollars(value) : "–");
  const rows: [string, string][] = [
    ["Cost", money(found.cost)],
    ["Said before", typeof estimate.p50 === "number" ? `${money(estimate.p50)} to ${money(estimate.p95)}` : "–"],
    ["Held", money(found.hold)],
    ["Model", `${found.model} at ${found.provider}`],
    [
      "Tokens",
      `${usage.input_tokens ?? "–"} in, ${usage.cache_read_tokens ?? 0} of them cached; ${usage.output_tokens ?? "–"} out`,
    ],
    ["Status", String(found.status)],
    ["First token", typeof timings.first_token_ms === "number" ? `${timings.first_token_ms} ms` : "–"],
    ["Whole answer", typeof timings.total_ms === "number" ? `${timings.total_ms} ms` : "–"],
    ["At", String(found.created_at)],
    ["Request", `\`${found.request_id}\``],
  ];
  const attempts = (Array.isArray(found.attempts) ? found.attempts : []).map(record);
  const tries = attempts.map(
    (one) => `1. ${one.provider}, ${one.model}: ${[one.status, one.reason].filter(Boolean).join(", ")}`,
  );
  const notes = (Array.isArray(found.notes) ? found.notes : [])
    .map(record)
    .map((one) => `- ${one.field}: ${one.act}, ${one.reason}`);
  return [
    "# Receipt",
    "",
    "| | |",
    "| --- | --- |",
    ...rows.map(([name, value]) => `| ${name} | ${value.replaceAll("|", "\\|")} |`),
    ...(tries.length > 0 ? ["", "## Attempts", "", ...tries] : []),
    ...(notes.length > 0 ? ["", "## Changed on the way", "", ...notes] : []),
    "",
  ].join("\n");
}
