import { type Api, readFailure, record } from "./api";

/** A turn as every editor has it, and as OpenAI's wire takes it. */
export type Part =
  | { kind: "text"; text: string }
  | { kind: "image"; mime: string; base64: string }
  | { kind: "thinking"; text: string }
  | { kind: "call"; id: string; name: string; input: unknown }
  | { kind: "result"; id: string; text: string };

export interface Turn {
  role: "system" | "user" | "assistant";
  parts: Part[];
}

export interface ToolSpec {
  name: string;
  description: string;
  schema?: object;
}

export interface ChatRequest {
  model: string;
  turns: readonly Turn[];
  tools?: readonly ToolSpec[];
  /** The model has to call a tool. */
  mustCall?: boolean;
  /** The most the answer may cost, dollars. */
  maxCost?: number;
  /** More fields of the wire, such as `temperature` or `reasoning_effort`. */
  options?: Record<string, unknown>;
}

/** Money in dollars; `raw` is the wire's own object. */
export interface Usage {
  input: number;
  output: number;
  cost?: number;
  balance?: number;
  raw: Record<string, unknown>;
}

export type ChatEvent =
  | { kind: "text"; text: string }
  | { kind: "thinking"; text: string }
  | { kind: "call"; id: string; name: string; input: object }
  | { kind: "usage"; usage: Usage; requestId: string | undefined };

const knownOptions = ["temperature", "top_p", "max_tokens", "seed", "stop", "reasoning_effort"];

/** The body of `/v1/chat/completions`. */
export function chatBody({ model, turns, tools = [], mustCall, maxCost, options = {} }: ChatRequest): object {
  const passed = Object.entries(options).filter(([name, value]) => knownOptions.includes(name) && value != null);
  return {
    ...Object.fromEntries(passed),
    model,
    messages: turns.flatMap(messagesOf),
    stream: true,
    stream_options: { include_usage: true },
    ...(tools.length > 0
      ? {
          tools: tools.map(({ name, description, schema }) => ({
            type: "function",
            function: { name, description, parameters: schema ?? { type: "object", properties: {} } },
          })),
          tool_choice: mustCall ? "required" : "auto",
        }
      : {}),
    ...(maxCost !== undefined && maxCost > 0 ? { max_cost: maxCost } : {}),
  };
}

function messagesOf({ role, parts }: Turn): object[] {
  const results = parts.flatMap((part) =>
    part.kind === "result" ? [{ role: "tool", tool_call_id: part.id, content: part.text }] : [],
  );
  const said = parts.filter((part) => part.kind === "text");
  const words = said.map((part) => part.text).join("");
  if (role === "assistant") {
    const calls = parts.flatMap((part) =>
      part.kind === "call"
        ? [{ id: part.id, type: "function", function: { name: part.name, arguments: JSON.stringify(part.input ?? {}) } }]
        : [],
    );
    const thinking = parts.flatMap((part) => (part.kind === "thinking" ? [part.text] : [])).join("");
    if (!words && calls.length === 0) return results;
    const more = {
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
      ...(thinking ? { reasoning_content: thinking } : {}),
    };
    return [{ role, content: words || null, ...more }, ...results];
  }
  const images = parts.flatMap((part) =>
    part.kind === "image" ? [{ type: "image_url", image_url: { url: `data:${part.mime};base64,${part.base64}` } }] : [],
  );
  if (images.length > 0)
    return [...results, { role, content: [...(words ? [{ type: "text", text: words }] : []), ...images] }];
  return words ? [...results, { role, content: words }] : results;
}

interface Building {
  id: string;
  name: string;
  text: string;
}

/** Streams an answer. Throws Failure, also for one that comes in mid-stream; leaving the loop stops the provider. */
export async function* streamChat(api: Api, request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
  const { requestId, events } = await api.stream("/v1/chat/completions", chatBody(request), signal);
  const calls = new Map<number, Building>();
  for await (const event of events) {
    const chunk = record(event);
    if (chunk.error) throw readFailure(chunk, 502);
    const choice = record((chunk.choices as unknown[] | undefined)?.[0]);
    const delta = record(choice.delta);
    const thinking = delta.reasoning_content ?? delta.reasoning;
    if (typeof thinking === "string" && thinking) yield { kind: "thinking", text: thinking };
    if (typeof delta.content === "string" && delta.content) yield { kind: "text", text: delta.content };
    for (const call of (delta.tool_calls as unknown[] | undefined) ?? []) collect(calls, record(call));
    if (choice.finish_reason) yield* finished(calls);
    if (chunk.usage) yield { kind: "usage", usage: usageOf(chunk), requestId };
  }
  yield* finished(calls);
}

function collect(calls: Map<number, Building>, piece: Record<string, unknown>): void {
  const index = typeof piece.index === "number" ? piece.index : calls.size;
  const made = calls.get(index) ?? { id: "", name: "", text: "" };
  const { name, arguments: text } = record(piece.function);
  if (typeof piece.id === "string" && piece.id) made.id = piece.id;
  if (typeof name === "string") made.name += name;
  if (typeof text === "string") made.text += text;
  calls.set(index, made);
}

function* finished(calls: Map<number, Building>): Generator<ChatEvent> {
  for (const { id, name, text } of calls.values()) {
    let input: unknown = {};
    try {
      input = JSON.parse(text || "{}");
    } catch {
      // Arguments that are no JSON go to the tool as they are: it refuses them in words that the model can read.
      input = { arguments: text };
    }
    yield { kind: "call", id, name, input: record(input) };
  }
  calls.clear();
}

export function usageOf(chunk: Record<string, unknown>): Usage {
  const raw = record(chunk.usage);
  const number = (value: unknown) => (typeof value === "number" ? value : undefined);
  return {
    input: number(raw.prompt_tokens) ?? 0,
    output: number(raw.completion_tokens) ?? 0,
    cost: number(raw.cost),
    balance: number(chunk.balance_remaining),
    raw,
  };
}

/** Tokens of a text, as an editor asks for them by the hundred: an estimate, four characters of English to one. */
export function roughTokens(text: string): number {
  let wide = 0;
  for (const letter of text) if ((letter.codePointAt(0) ?? 0) > 0x2e80) wide += 1;
  return Math.ceil((text.length - wide) / 4 + wide);
}
