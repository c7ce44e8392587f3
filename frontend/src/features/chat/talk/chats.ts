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
  private readonly deaf: () => void;
  private shown: Chat | null = null;

  constructor(private readonly services: Services) {
    this.deaf = services.tabs.onChat((id, gone) => {
      const chat = this.open.find((each) => each.getState().conversationId === id);
      if (gone) chat?.deleted();
      else void chat?.refresh();
    });
    // Another device tells this one nothing: the chat is looked up again when its reader comes back to it.
    document.addEventListener("visibilitychange", this.onVisible);
  }

  /** After a departure nobody listens any more. */
  close(): void {
    this.deaf();
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

  /** A chat that was given a title in the history: it is shown wherever the chat is open. */
  named(conversationId: string, title: string): void {
    this.open.find((chat) => chat.getState().conversationId === conversationId)?.setTitle(title);
    this.services.tabs.tellChat(conversationId);
  }

  /** A chat that was deleted here; where it is open in another tab, that one learns it. */
  forget(conversationId: string): void {
    this.services.tabs.tellChat(conversationId, true);
    const index = this.open.findIndex((chat) => chat.getState().conversationId === conversationId);
    if (index >= 0) this.open.splice(index, 1)[0]?.memory.forget(conversationId);
  }

  private readonly onVisible = () => {
    if (document.visibilityState === "visible") void this.shown?.refresh();
  };

  private create(conversationId: string | null): Chat {
    const { api, queryClient, tabs } = this.services;
    const stale = () => {
      const id = chat.getState().conversationId;
      if (id) tabs.tellChat(id);
      void queryClient.invalidateQueries({ queryKey: ["conversations"] });
    };
    const chat: Chat = new Chat(
      {
        api,
        memory: new ChatMemory(memoryPlace(this.services)),
        onConversation: stale,
        onAsked: () => {
          const id = chat.getState().conversationId;
          if (id) tabs.tellChat(id);
        },
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
