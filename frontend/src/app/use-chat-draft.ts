import { useCallback } from "react";
import { chatsOf } from "@/features/chat/talk/chats";
import { useServices } from "@/shared/api/services";

/** Adds text to the composer of a chat (null: the new one), below what is written there already. */
export function useChatDraft(conversationId: string | null): (text: string) => void {
  const services = useServices();
  return useCallback((text: string) => chatsOf(services).get(conversationId).addToDraft(text), [services, conversationId]);
}
