import type { HostStorage } from "@/hosts/host";

type Slot = "draft" | "system" | "run";

/** What a chat keeps on this device over a reload or an expired session: the draft, its instructions, its running answer. */
export class ChatMemory {
  constructor(private readonly storage: HostStorage) {}

  read(slot: Slot, conversationId: string | null): string {
    return this.storage.getItem(key(slot, conversationId)) ?? "";
  }

  write(slot: Slot, conversationId: string | null, text: string): void {
    if (text) this.storage.setItem(key(slot, conversationId), text);
    else this.storage.removeItem(key(slot, conversationId));
  }

  /** Forgets a draft that the server now has, unless it was changed meanwhile. */
  sent(conversationId: string | null, text: string): void {
    if (this.read("draft", conversationId).trim() === text.trim()) this.write("draft", conversationId, "");
  }

  forget(conversationId: string): void {
    for (const slot of ["draft", "system", "run"] as const) this.write(slot, conversationId, "");
  }
}

const key = (slot: Slot, conversationId: string | null) => `marketplace.chat.${slot}.${conversationId ?? "new"}`;
