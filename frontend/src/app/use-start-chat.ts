import { useNavigate } from "@tanstack/react-router";
import { chatsOf } from "@/features/chat/talk/chats";
import { parseSettings } from "@/features/chat/talk/settings";
import { useServices } from "@/shared/api/services";
import type { Model } from "@/shared/api/types";

/**
 * Puts the model into the chat beside the editor (`conversationId`; null: the new one). A task that Q Assistant was asked
 * about becomes the draft, and the effort it was priced with the chat's setting.
 */
export function useStartChat(conversationId: string | null) {
  const navigate = useNavigate();
  const services = useServices();
  return (model: Model, options: { task?: string; effort?: string } = {}) => {
    void navigate({
      to: "/",
      search: (before) => ({ ...before, model: model.id, pane: "chat" as const, view: undefined, comparing: undefined }),
    });
    const chat = chatsOf(services).get(conversationId);
    if (options.effort) {
      chat.setSettings(parseSettings(JSON.stringify({ ...chat.getState().settings, effort: options.effort })));
    }
    if (options.task) chat.addToDraft(options.task);
  };
}
