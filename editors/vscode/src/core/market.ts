import type { Api } from "./api";

/** What the catalogue says of a model, as far as an editor shows it. Prices: dollars per million tokens. */
export interface Model {
  id: string;
  name: string;
  provider: string;
  family?: string;
  description?: string;
  context_window: number;
  max_input?: number | null;
  max_output?: number | null;
  capabilities: string[];
  is_available: boolean;
  use_count: number;
  prices?: { input?: string; output?: string; cache_read?: string; cache_write_5m?: string } | null;
}

export interface Pick {
  model: Model;
  rank: number;
  reasoning: string;
  reasons: string[];
  effort?: string | null;
  cost_range?: { p50: number; p95: number } | null;
}

/** Dollars. */
export interface Estimate {
  p50: number;
  p95: number;
  maximum: number;
  input_tokens: number;
}

export interface Balance {
  balance: number;
  available: number;
  held: number;
}

const base = "/api/v1/marketplace";

export async function models(api: Api, signal?: AbortSignal): Promise<Model[]> {
  return (await api.get<{ models: Model[] }>(`${base}/models?available=true&limit=5000`, signal)).models;
}

export async function favourites(api: Api): Promise<string[]> {
  return (await api.get<{ favourites: string[] }>(`${base}/favourites`)).favourites;
}

/** What the picker's models are mostly used for; Q Assistant says of its picks why they suit it. */
const EDITOR_TASK = "Work on code in an editor: read files, call tools, write and fix functions, explain what was done";

/** Q Assistant's reasons for the models that suit an editor, by model id. */
export async function editorReasons(api: Api): Promise<Map<string, string>> {
  const picks = await recommend(api, EDITOR_TASK, 20);
  return new Map(picks.map(({ model, rank, reasons }) => [model.id, `Q Assistant, rank ${rank}: ${reasons.join("; ")}`]));
}

/** Agents that the account agreed to, as models of the picker: `agent/publisher/slug`. They bring their own tools. */
export async function agents(api: Api): Promise<Offered[]> {
  const reply = await api.get<{ agents: Installed[] }>("/api/v1/agents/installed");
  return reply.agents.map(({ agent, version }) => ({
    ...AUTO,
    id: `agent/${agent.publisher}/${agent.slug}`,
    name: version.spec.name,
    family: "agent",
    detail: `agent of ${agent.publisher}`,
    tooltip: `${version.spec.summary}
Runs on ${version.spec.model} with tools of its own; its page says what a run costs.`,
    images: false,
    tools: false,
  }));
}

interface Installed {
  agent: { publisher: string; slug: string };
  version: { spec: { name: string; summary: string; model: string } };
}

export const balance = (api: Api) => api.get<Balance>(`${base}/billing/balance`);

export async function recommend(api: Api, task: string, limit = 3, signal?: AbortSignal): Promise<Pick[]> {
  const reply = await api.post<{ recommendations: Pick[] }>(`${base}/recommendations`, { task, limit }, signal);
  return reply.recommendations;
}

export async function estimate(api: Api, model: string, prompt: string, signal?: AbortSignal) {
  return api.post<{ estimate: Estimate; affordable: boolean; model: string }>(
    "/api/v1/agents/estimate",
    { model, prompt },
    signal,
  );
}

/** The newest calls, whoever made them: this key, another, or the page. */
export async function lastCall(api: Api): Promise<string | undefined> {
  const reply = await api.get<{ calls: { request_id: string }[] }>(`${base}/activity?limit=1`);
  return reply.calls[0]?.request_id;
}

export async function receipt(api: Api, requestId: string): Promise<Record<string, unknown>> {
  const path = `${base}/generations/${encodeURIComponent(requestId)}`;
  return (await api.get<{ generation: Record<string, unknown> }>(path)).generation;
}

/** A model as VS Code's picker shows it. Tokens. */
export interface Offered {
  id: string;
  name: string;
  family: string;
  detail: string;
  tooltip: string;
  input: number;
  output: number;
  images: boolean;
  tools: boolean;
  thinks: boolean;
  /** Dollars per million tokens. */
  price: { input?: number; output?: number; cacheRead?: number };
  favourite: boolean;
}

/** Not `auto`: VS Code's chat takes a model of that id for its own, and asks GitHub. */
export const AUTO: Offered = {
  id: "marketplace-auto",
  name: "Auto (Marketplace)",
  family: "auto",
  detail: "the best value for each task",
  tooltip: "Q Assistant chooses a model for each request, within what you can pay. The receipt says which and why.",
  input: 111_616,
  output: 16_384,
  images: true,
  tools: true,
  thinks: true,
  price: {},
  favourite: false,
};

/** What the server calls a model of the picker. */
export const onWire = (id: string): string => (id === AUTO.id ? "auto" : id);

const SMALL_CALL = { input: 2_000, output: 500 };
const FEWEST = 12;

/**
 * What the picker offers: `auto`, the favourites, what was added by command, and the most used models with tools that the wallet can
 * pay, until there are a dozen. Seven hundred rows are noise.
 */
export function offered(
  all: readonly Model[],
  wanted: {
    favourites: readonly string[];
    added: readonly string[];
    available: number | undefined;
    reasons?: ReadonlyMap<string, string>;
  },
): Offered[] {
  const talking = all.filter((model) => model.is_available && model.capabilities.includes("text"));
  const byId = new Map(talking.map((model) => [model.id, model]));
  const chosen = [...new Set([...wanted.favourites, ...wanted.added])].flatMap((id) => byId.get(id) ?? []);
  const taken = new Set(chosen.map((model) => model.id));
  const others = talking
    .filter((model) => !taken.has(model.id) && model.capabilities.includes("tools") && payable(model, wanted.available))
    .sort((a, b) => b.use_count - a.use_count)
    .slice(0, Math.max(0, FEWEST - chosen.length));
  const starred = new Set(wanted.favourites);
  const made = [...chosen, ...others].map((model) => shown(model, starred.has(model.id)));
  const told = (model: Offered) => [model.tooltip, wanted.reasons?.get(model.id)].filter(Boolean).join("\n");
  return [AUTO, ...made.map((model) => ({ ...model, tooltip: told(model) }))];
}

/** Whether a short question can be paid. available: dollars; unknown = anything goes. */
export function payable(model: Model, available: number | undefined): boolean {
  const input = Number(model.prices?.input ?? Number.NaN);
  const output = Number(model.prices?.output ?? Number.NaN);
  if (!Number.isFinite(input) || !Number.isFinite(output)) return false;
  if (available === undefined) return true;
  return (input * SMALL_CALL.input + output * SMALL_CALL.output) / 1e6 <= available;
}

export function shown(model: Model, favourite = false): Offered {
  const context = model.context_window || 8_192;
  // Some list the whole context as the longest answer: then nothing would be left to ask with.
  const output = Math.max(256, Math.min(model.max_output || 4_096, Math.floor(context / 4)));
  const input = Math.max(256, Math.min(model.max_input ?? context, context - output));
  const price = priceOf(model);
  return {
    id: model.id,
    name: model.name,
    family: model.family || model.provider,
    detail: priceWords(price),
    tooltip: [model.description, priceSentence(price), `${model.provider}/${model.id}`].filter(Boolean).join("\n"),
    input,
    output,
    images: model.capabilities.includes("vision"),
    tools: model.capabilities.includes("tools"),
    thinks: model.capabilities.includes("reasoning"),
    price,
    favourite,
  };
}

function priceOf({ prices }: Model): Offered["price"] {
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  return { input: number(prices?.input), output: number(prices?.output), cacheRead: number(prices?.cache_read) };
}

function priceWords({ input, output }: Offered["price"]): string {
  if (input === undefined || output === undefined) return "price unknown";
  return input === 0 && output === 0 ? "free" : `$${input}/$${output}`;
}

function priceSentence({ input, output, cacheRead }: Offered["price"]): string {
  if (input === undefined || output === undefined) return "No price is known.";
  if (input === 0 && output === 0) return "Free.";
  const cached = cacheRead === undefined ? "" : `, $${cacheRead} cached`;
  return `$${input} in${cached}, $${output} out per 1M tokens.`;
}
