import { isAgent } from "@/features/chat/dialogs/agents-api";
import { ApiError } from "@/shared/api/errors";
import { randomId } from "@/shared/lib/random-id";
import type { StoredMessage } from "./chat-api";
import type { Fallback, Run, RunTimings, RunUsage, ToolCall } from "./run-reducer";
import type { TreeNode } from "./tree";

type MessageStatus = "complete" | "running" | "stopped" | "cut" | "failed";

/** One message of a chat. `key` stays when the server gives the message its id, so the page keeps its place. */
export interface ChatMessage extends TreeNode {
  key: string;
  role: "user" | "assistant";
  content: string;
  images: string[];
  createdAt: string;
  status: MessageStatus;
  reasoning?: string;
  toolCalls?: ToolCall[];
  model?: string;
  /** The agent that was asked, where it was one and not the model itself. */
  agent?: string;
  provider?: string;
  requestId?: string;
  finishReason?: string;
  cost?: number;
  listCost?: number;
  usage?: RunUsage;
  timings?: RunTimings;
  fallback?: Fallback;
  failure?: ApiError;
  /** Set once the page has retried by itself after a 429, so that it does so only once. */
  retried?: boolean;
}

const LOCAL = "local_";

export const localId = (): string => LOCAL + randomId();

export function newMessage(fields: Pick<ChatMessage, "parentId" | "role"> & Partial<ChatMessage>): ChatMessage {
  const id = localId();
  return { id, key: id, content: "", images: [], createdAt: new Date().toISOString(), status: "complete", ...fields };
}

/** False until the server has told the message's id. */
export const isStored = (message: ChatMessage): boolean => !message.id.startsWith(LOCAL);

const statuses: Record<string, MessageStatus> = {
  running: "running",
  streaming: "running",
  stopped: "stopped",
  partial: "cut",
  cut: "cut",
  error: "failed",
  failed: "failed",
};

/** The server's messages; where it names no parents they form a straight line. */
export function fromStored(list: readonly StoredMessage[]): ChatMessage[] {
  const spoken = list.filter((stored) => stored.role !== "system");
  return spoken.map((stored, index) => ({
    id: stored.id,
    key: stored.id,
    parentId: stored.parent_id === undefined ? (spoken[index - 1]?.id ?? null) : stored.parent_id,
    role: stored.role === "user" ? "user" : "assistant",
    content: stored.content,
    images: stored.images ?? [],
    createdAt: stored.created_at ?? stored.timestamp ?? "",
    status: stored.finish_reason === "stopped" ? "stopped" : (statuses[stored.status ?? ""] ?? "complete"),
    model: stored.model ?? undefined,
    agent: isAgent(stored.agent_id ?? "") ? (stored.agent_id ?? undefined) : undefined,
    provider: stored.provider ?? undefined,
    requestId: stored.request_id ?? undefined,
    finishReason: stored.finish_reason ?? undefined,
    cost: stored.cost ?? undefined,
    usage: stored.usage ?? undefined,
    timings: stored.timings ?? undefined,
    fallback: stored.fallback ?? undefined,
    failure: stored.error
      ? new ApiError(stored.error.error ?? "The answer failed.", { code: stored.error.code ?? "server", status: 502 })
      : undefined,
  }));
}

/** What a run, finished or not, says about its message. */
export function fromRun(run: Run): Partial<ChatMessage> {
  return {
    content: run.text,
    reasoning: run.reasoning || undefined,
    toolCalls: run.toolCalls.length ? run.toolCalls : undefined,
    status: { waiting: "running", streaming: "running", done: "complete", stopped: "stopped", cut: "cut", failed: "failed" }[
      run.phase
    ] as MessageStatus,
    model: run.model,
    provider: run.provider,
    requestId: run.requestId,
    finishReason: run.finishReason,
    cost: run.cost,
    listCost: run.listCost,
    usage: run.usage,
    timings: run.timings,
    fallback: run.fallback,
    failure: run.failure,
  };
}
