import type { HostStorage } from "@/hosts/host";

type Slot = "draft" | "files" | "system" | "settings" | "run";

const PREFIX = "marketplace.chat.";

export interface MemoryPlace {
  storage: HostStorage;
  /** Tells this tab from the others: a new chat, which has no id yet, is its tab's own. */
  tab: string;
  /** Whose chats these are, now. */
  account(): string;
}

/** What a chat keeps on this device over a reload or an expired session: the draft, its instructions, its running answer. */
export class ChatMemory {
  constructor(private readonly place: MemoryPlace) {}

  read(slot: Slot, conversationId: string | null): string {
    const own = this.place.storage.getItem(this.key(slot, conversationId));
    return own ?? (slot === "draft" && conversationId === null ? this.inherit() : "");
  }

  write(slot: Slot, conversationId: string | null, text: string): void {
    const key = this.key(slot, conversationId);
    if (text) this.place.storage.setItem(key, text);
    else this.place.storage.removeItem(key);
  }

  /** Forgets a draft that the server now has, unless it was changed meanwhile. */
  sent(conversationId: string | null, text: string): void {
    if (this.read("draft", conversationId).trim() === text.trim()) this.write("draft", conversationId, "");
  }

  forget(conversationId: string): void {
    for (const slot of ["draft", "files", "system", "settings", "run"] as const) this.write(slot, conversationId, "");
  }

  private key(slot: Slot, conversationId: string | null): string {
    return `${home(this.place.account())}${slot}.${conversationId ?? `new.${this.place.tab}`}`;
  }

  /** The draft of a new chat whose tab was closed: nobody else would ever show it again. */
  private inherit(): string {
    const { storage } = this.place;
    const left = `${home(this.place.account())}left.`;
    const key = storage.keys().find((each) => each.startsWith(left));
    if (!key) return "";
    const text = storage.getItem(key) ?? "";
    storage.removeItem(key);
    this.write("draft", null, text);
    return text;
  }
}

/** When a tab goes: its new chat's draft is there for the next one, which may be this tab after a reload. */
export function leaveDraft({ storage, tab, account }: MemoryPlace): void {
  const own = `${home(account())}draft.new.${tab}`;
  const text = storage.getItem(own);
  if (!text) return;
  storage.setItem(`${home(account())}left.${tab}`, text);
  storage.removeItem(own);
}

/** Everything that this browser keeps of an account's chats. */
export function forgetChats(storage: HostStorage, account: string): void {
  for (const key of storage.keys()) if (key.startsWith(home(account))) storage.removeItem(key);
}

/** What somebody wrote before signing in is theirs afterwards. */
export function bringChats(storage: HostStorage, account: string): void {
  for (const key of storage.keys()) {
    if (!key.startsWith(home(""))) continue;
    const text = storage.getItem(key);
    if (text !== null) storage.setItem(home(account) + key.slice(home("").length), text);
    storage.removeItem(key);
  }
}

/** True while a question is written that no server has. */
export function hasDrafts(storage: HostStorage, account: string): boolean {
  const places = [`${home(account)}draft.`, `${home(account)}left.`];
  return storage.keys().some((key) => places.some((place) => key.startsWith(place)) && storage.getItem(key)?.trim());
}

const home = (account: string) => `${PREFIX}@${account}.`;
