import type { ApiClient } from "@/shared/api/client";
import type { ChatMessage } from "./chat-message";
import type { Fallback, RunTimings, RunUsage } from "./run-reducer";
import { type ChatSettings, settingsBody } from "./settings";

const agents = "/api/v1/agents";

export interface ConversationSummary {
  id: string;
  title: string | null;
  model: string | null;
  updated_at: string;
  messages: number;
  pinned?: boolean;
  folder?: string;
  tags?: string[];
}

/** A stored message; `parent_id` is absent where the server keeps a straight line. */
export interface StoredMessage {
  id: string;
  parent_id?: string | null;
  role: "user" | "assistant" | "system";
  content: string;
  images?: string[];
  created_at?: string;
  timestamp?: string;
  status?: string;
  model?: string | null;
  provider?: string | null;
  request_id?: string | null;
  run_id?: string | null;
  /** The agent or model that was asked. */
  agent_id?: string | null;
  finish_reason?: string | null;
  cost?: number | null;
  usage?: RunUsage | null;
  timings?: RunTimings | null;
  fallback?: Fallback | null;
  error?: { error?: string; code?: string } | null;
}

export interface ConversationDetail {
  conversation: Omit<ConversationSummary, "messages"> & { system?: string | null };
  messages: StoredMessage[];
}

export interface Estimate {
  estimate: {
    p50: number;
    p95: number;
    maximum: number;
    input_tokens: number;
    output_tokens?: { p50: number; p95: number };
  };
  affordable: boolean;
  max_affordable_tokens?: number | null;
}

/** What is asked for: a new message below a parent, or another answer to the stored message `parentId`. */
export interface ChatRequest {
  model: string;
  runId: string;
  conversationId: string | null;
  parentId: string | null;
  message?: string;
  images: string[];
  system: string;
  settings: ChatSettings;
}

const PAGE = 2_000;

export const listConversations = (
  api: ApiClient,
  query: { q?: string; folder?: string; tag?: string; cursor?: string },
  signal?: AbortSignal,
) =>
  api.get<{ conversations: ConversationSummary[]; next_cursor: string | null }>(`${agents}/conversations`, {
    query: { ...query, limit: 50 },
    signal,
  });

/** All of a conversation, a page at a time: however long it is, no single answer of the server is. */
export const getConversation = async (api: ApiClient, id: string): Promise<ConversationDetail> => {
  const path = `${agents}/conversations/${encodeURIComponent(id)}` as const;
  const page = (before?: number) =>
    api.get<ConversationDetail & { earlier?: number | null }>(path, {
      query: { limit: PAGE, before },
    });
  const { conversation, messages, earlier } = await page();
  const pages = [messages];
  for (let before = earlier; typeof before === "number"; ) {
    const older = await page(before);
    pages.unshift(older.messages);
    before = older.earlier;
  }
  return { conversation, messages: pages.flat() };
};

export interface ConversationChange {
  title?: string;
  pinned?: boolean;
  folder?: string;
  tags?: string[];
}

export const changeConversation = (api: ApiClient, id: string, change: ConversationChange) =>
  api.patch(`${agents}/conversations/${encodeURIComponent(id)}`, change);

export const deleteConversation = (api: ApiClient, id: string) =>
  api.delete(`${agents}/conversations/${encodeURIComponent(id)}`);

export const exportConversation = async (api: ApiClient, id: string, format: "markdown" | "json") => {
  const path = `${agents}/conversations/${encodeURIComponent(id)}/export` as const;
  const response = await api.raw("GET", path, { query: { format }, auth: "required", headers: { Accept: "*/*" } });
  return response.blob();
};

const eventStream = { Accept: "text/event-stream" };

/** An answer that lives on when the page goes away, to be found again by its run. */
export function openChat(api: ApiClient, request: ChatRequest, signal: AbortSignal): Promise<Response> {
  const body = {
    model: request.model,
    run_id: request.runId,
    stream: true,
    resumable: true,
    ...(request.message === undefined ? {} : { message: request.message }),
    ...(request.images.length ? { images: request.images } : {}),
    ...(request.conversationId ? { conversation_id: request.conversationId, parent_id: request.parentId } : {}),
    ...(request.system ? { system: request.system } : {}),
    ...settingsBody(request.settings),
  };
  return api.raw("POST", `${agents}/chat`, { body, signal, headers: eventStream });
}

type WireContent = string | ({ type: "text"; text: string } | { type: "image_url"; image_url: { url: string } })[];

export interface WireMessage {
  role: "system" | "user" | "assistant";
  content: WireContent;
}

/** An answer that the server keeps nothing of: the whole history goes along with the question. */
export function openTemporary(
  api: ApiClient,
  request: { model: string; runId: string; messages: WireMessage[]; settings: ChatSettings },
  signal: AbortSignal,
): Promise<Response> {
  const { model, runId, messages, settings } = request;
  const body = { model, run_id: runId, messages, stream: true, ...settingsBody(settings) };
  return api.raw("POST", `${agents}/completion`, { body, signal, headers: eventStream });
}

export function wireMessages(path: readonly ChatMessage[], system: string): WireMessage[] {
  const spoken = path.filter((message) => message.content || message.images.length);
  const messages = spoken.map(({ role, content, images }): WireMessage => {
    if (!images.length) return { role, content };
    const pictures = images.map((url) => ({ type: "image_url" as const, image_url: { url } }));
    return { role, content: [{ type: "text", text: content }, ...pictures] };
  });
  return system ? [{ role: "system", content: system }, ...messages] : messages;
}

export const resumeRun = (api: ApiClient, runId: string, lastEventId: string, signal: AbortSignal) =>
  api.raw("GET", `${agents}/runs/${encodeURIComponent(runId)}/events`, {
    signal,
    headers: { ...eventStream, ...(lastEventId ? { "Last-Event-ID": lastEventId } : {}) },
  });

export const endRun = (api: ApiClient, runId: string) =>
  api.post<{ stopped: boolean }>(`${agents}/runs/${encodeURIComponent(runId)}/stop`, {}, { auth: "background" });

export type EstimateInput = { model: string; max_tokens?: number; reasoning_effort?: string } & (
  | { messages: WireMessage[] }
  | { conversation_id: string; parent_id: string | null; message: string; system?: string; images?: string[] }
);

export const estimateCost = (api: ApiClient, input: EstimateInput, signal: AbortSignal) =>
  api.post<Estimate>(`${agents}/estimate`, input, { signal, auth: "background" });

/** The text of a PDF or an Office file; `cut` where there is more of it. */
export function extractDocument(api: ApiClient, file: File): Promise<{ text: string; cut: boolean }> {
  return api.post<{ text: string; cut: boolean }>(`${agents}/documents`, file);
}
