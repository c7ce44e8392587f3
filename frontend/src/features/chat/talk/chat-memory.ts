import { parseFiles, type TextFile } from "@/features/chat/composer/text-files";
import type { HostShelf, HostStorage } from "@/hosts/host";
import { keepImages, readImages } from "./draft-images";

type Slot = "draft" | "files" | "edit" | "system" | "settings" | "run";

const PREFIX = "marketplace.chat.";

export interface MemoryPlace {
  storage: HostStorage;
  shelf: HostShelf;
  /** Tells this tab from the others: a new chat, which has no id yet, is its tab's own. */
  tab: string;
  /** Whose chats these are, now. */
  account(): string;
}

/** What a chat keeps on this device over a reload or an expired session: the draft, its instructions, its running answer. */
export class ChatMemory {
  /** The draft's pictures, as long as the page lives. */
  images: readonly string[] = [];

  /** The draft's pictures together with those of a chat that is gone, while they are on their way. */
  private coming: Promise<string[]> | null = null;

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
    const sent = text.trim();
    if (this.read("draft", conversationId).trim() === sent) this.write("draft", conversationId, "");
    // Where the page was drawn anew meanwhile, a long one lies among the files.
    const files = parseFiles(this.read("files", conversationId));
    const unsent = files.filter((file) => file.text.trim() !== sent);
    if (unsent.length < files.length) this.writeFiles(conversationId, unsent);
    // Pictures that were attached since are the next question's.
    if (this.images.length === 0) void keepImages(...this.shelved(conversationId), []);
  }

  /** The pictures of the draft that outlived a reload; none where the page has some already. */
  async keptImages(conversationId: string | null): Promise<string[]> {
    const handed = await this.coming;
    this.coming = null;
    if (this.images.length) return [];
    return handed ?? readImages(...this.shelved(conversationId));
  }

  keepImages(conversationId: string | null, images: string[]): void {
    this.images = images;
    void keepImages(...this.shelved(conversationId), images);
  }

  /** A new chat has got its id: what was typed while it waited for its first answer is its next question, no other new chat's. */
  adopt(conversationId: string): void {
    const { storage } = this.place;
    for (const slot of ["draft", "files"] as const) {
      const own = this.key(slot, null);
      const typed = storage.getItem(own);
      storage.removeItem(own);
      if (typed) this.write(slot, conversationId, typed);
    }
    if (this.images.length === 0) return;
    void keepImages(...this.shelved(null), []);
    this.keepImages(conversationId, [...this.images]);
  }

  /** A chat is gone, and what was being written in it is not: it joins what is being written in the new chat. */
  bequeath(conversationId: string, heir: ChatMemory): void {
    const draft = this.read("draft", conversationId);
    if (draft.trim()) heir.write("draft", null, below(heir.read("draft", null), draft));
    const files = parseFiles(this.read("files", conversationId));
    if (files.length) heir.writeFiles(null, [...parseFiles(heir.read("files", null)), ...files]);
    heir.coming = this.handImages(conversationId, heir);
    this.forgetTexts(conversationId);
  }

  forget(conversationId: string): void {
    this.forgetTexts(conversationId);
    this.keepImages(conversationId, []);
  }

  writeFiles(conversationId: string | null, files: readonly TextFile[]): void {
    this.write("files", conversationId, files.length ? JSON.stringify(files) : "");
  }

  private async handImages(conversationId: string, heir: ChatMemory): Promise<string[]> {
    const from = this.shelved(conversationId);
    const to = heir.shelved(null);
    const inPage = this.images;
    this.images = [];
    // Whoever deleted the chat in another tab has cleared its shelf.
    const handed = inPage.length ? inPage : await readImages(...from);
    const images = [...(await readImages(...to)), ...handed];
    if (handed.length) await keepImages(...to, images);
    await keepImages(...from, []);
    return images;
  }

  private forgetTexts(conversationId: string): void {
    for (const slot of ["draft", "files", "edit", "system", "settings", "run"] as const)
      this.write(slot, conversationId, "");
  }

  private key(slot: Slot, conversationId: string | null): string {
    return `${home(this.place.account())}${slot}.${this.name(conversationId)}`;
  }

  private name(conversationId: string | null): string {
    return conversationId ?? `new.${this.place.tab}`;
  }

  private shelved(conversationId: string | null): [HostShelf, string, string] {
    return [this.place.shelf, this.place.account(), this.name(conversationId)];
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

/** A text below what is written already. */
export const below = (draft: string, text: string) => (draft.trim() ? `${draft.trimEnd()}\n\n${text}` : text);

/** When a tab goes: its new chat's draft is there for the next one, which may be this tab after a reload. */
export function leaveDraft({ storage, tab, account }: MemoryPlace): void {
  const own = `${home(account())}draft.new.${tab}`;
  const text = storage.getItem(own);
  if (!text) return;
  // First away: where the storage is full, one of the two has room and both have not.
  storage.removeItem(own);
  storage.setItem(`${home(account())}left.${tab}`, text);
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
  return storage.keys().some((key) => isDraft(storage, account, key));
}

/** True while such a question would go with the page, because the browser keeps nothing (more). */
export function losesDrafts(storage: HostStorage, account: string): boolean {
  return storage.unkept().some((key) => isDraft(storage, account, key));
}

function isDraft(storage: HostStorage, account: string, key: string): boolean {
  const written = ["draft.", "left.", "edit."].some((slot) => key.startsWith(home(account) + slot));
  return written && Boolean(storage.getItem(key)?.trim());
}

const home = (account: string) => `${PREFIX}@${account}.`;
