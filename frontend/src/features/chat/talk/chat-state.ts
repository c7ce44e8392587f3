import type { ApiClient } from "@/shared/api/client";
import type { ApiError } from "@/shared/api/errors";
import { plainName } from "@/shared/lib/plain-name";
import type { ChatMemory } from "./chat-memory";
import type { ChatMessage } from "./chat-message";
import type { Run } from "./run-reducer";
import type { ChatSettings } from "./settings";
import { activePath, type Tree } from "./tree";

export interface ChatState {
  conversationId: string | null;
  title: string | null;
  temporary: boolean;
  system: string;
  settings: ChatSettings;
  tree: Tree<ChatMessage>;
  /** The answer being made now; its message in the tree is filled when it ends. */
  run: { key: string; run: Run } | null;
  loading: boolean;
  loadError: ApiError | null;
  /** Text for the composer: a draft that could not be sent, or a selection; `images` absent leaves its images alone. */
  returned: { text: string; images?: string[] } | null;
}

export interface ChatServices {
  api: ApiClient;
  memory: ChatMemory;
  onConversation(id: string): void;
  /** Called when the server has a question of this chat, which may be open elsewhere. */
  onAsked(): void;
  /** Called after every answer; `balance` in dollars where the server told it. */
  onSettled(balance: number | undefined): void;
  /** requestAnimationFrame in the page: one update a frame however fast the model is. */
  nextFrame(callback: () => void): void;
}

export interface Draft {
  text: string;
  images: string[];
  model: string;
  maxTokens?: number;
}

/** The chat's title; until it has one, the beginning of its first question. Empty for a new chat. */
export function titleOf({ title, tree }: ChatState): string {
  return plainName(title || (activePath(tree)[0]?.content.split("\n")[0]?.slice(0, 80) ?? ""));
}

/** Settings as they lie on this device: nothing for none. */
export const keptSettings = (settings: ChatSettings) => (Object.keys(settings).length ? JSON.stringify(settings) : "");
