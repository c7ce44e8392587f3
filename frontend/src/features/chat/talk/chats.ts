import { useSyncExternalStore } from "react";
import type { Services } from "@/shared/api/services";
import { Chat } from "./chat";
import { ChatMemory, type MemoryPlace } from "./chat-memory";
import type { ChatState } from "./chat-state";

const KEPT = 8;

/**
 * The open chats of one host. They outlive the components that show them, so that an answer goes on while its reader
 * looks at another chat or page, and is there on return.
 */
export class Chats {
  private readonly open: Chat[] = [];
  private readonly tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("marketplace.chats");
  private shown: Chat | null = null;

  constructor(private readonly services: Services) {
    this.tabs?.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      void this.open.find((chat) => chat.getState().conversationId === data)?.refresh();
    });
    // Another device tells this one nothing: the chat is looked up again when its reader comes back to it.
    document.addEventListener("visibilitychange", this.onVisible);
  }

  /** After a departure nobody listens any more. */
  close(): void {
    this.tabs?.close();
    document.removeEventListener("visibilitychange", this.onVisible);
  }

  get(conversationId: string | null): Chat {
    const known = this.open.find((chat) => chat.getState().conversationId === conversationId);
    this.shown = known ?? this.create(conversationId);
    return this.shown;
  }

  /** A new, empty chat. */
  fresh(): Chat {
    const blank = this.open.findIndex((chat) => chat.getState().conversationId === null);
    if (blank >= 0) this.open.splice(blank, 1);
    this.shown = this.create(null);
    return this.shown;
  }

  forget(conversationId: string): void {
    const index = this.open.findIndex((chat) => chat.getState().conversationId === conversationId);
    if (index >= 0) this.open.splice(index, 1)[0]?.memory.forget(conversationId);
  }

  private readonly onVisible = () => {
    if (document.visibilityState === "visible") void this.shown?.refresh();
  };

  private create(conversationId: string | null): Chat {
    const { api, queryClient } = this.services;
    const stale = () => {
      const id = chat.getState().conversationId;
      if (id) this.tabs?.postMessage(id);
      void queryClient.invalidateQueries({ queryKey: ["conversations"] });
    };
    const chat: Chat = new Chat(
      {
        api,
        memory: new ChatMemory(memoryPlace(this.services)),
        onConversation: stale,
        onSettled: () => {
          stale();
          void queryClient.invalidateQueries({ queryKey: ["balance"] });
        },
        nextFrame: (callback) => void (document.hidden ? setTimeout(callback, 100) : requestAnimationFrame(callback)),
      },
      conversationId,
    );
    this.open.push(chat);
    const idle = this.open.findIndex((each) => each !== chat && each.getState().run === null);
    if (this.open.length > KEPT && idle >= 0) this.open.splice(idle, 1);
    return chat;
  }
}

export const memoryPlace = ({ host, session }: Pick<Services, "host" | "session">): MemoryPlace => ({
  storage: host.storage,
  shelf: host.shelf,
  tab: host.tab,
  account: () => session.getState().account,
});

const registries = new WeakMap<Services, { chats: Chats; departures: number }>();

/** The chats of whoever is signed in: after a departure there are none. */
export function chatsOf(services: Services): Chats {
  const { departures } = services.session.getState();
  const known = registries.get(services);
  if (known?.departures === departures) return known.chats;
  known?.chats.close();
  const chats = new Chats(services);
  registries.set(services, { chats, departures });
  return chats;
}

/** One part of a chat's state; the component is drawn again only when that part changes. */
export function useChat<T>(chat: Chat, select: (state: ChatState) => T): T {
  return useSyncExternalStore(chat.subscribe, () => select(chat.getState()));
}
