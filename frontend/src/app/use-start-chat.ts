import { useNavigate } from "@tanstack/react-router";
import type { Model } from "@/shared/api/types";

/** Puts the model into the chat beside the editor; a task that Q Assistant was asked about becomes the draft. */
export function useStartChat(onDraft: (text: string) => void) {
  const navigate = useNavigate();
  return (model: Model, options?: { task?: string }) => {
    void navigate({
      to: "/",
      search: (before) => ({ ...before, model: model.id, pane: "chat" as const, view: undefined, comparing: undefined }),
    });
    if (options?.task) onDraft(options.task);
  };
}
