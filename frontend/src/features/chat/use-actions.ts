import { useEffect, useMemo, useRef } from "react";
import type { MessageActions } from "./messages/message-view";
import type { Chat } from "./talk/chat";

const CONTINUE = "Continue exactly where you stopped.";

interface ActionInputs {
  chat: Chat;
  modelId: string;
  onPick: (modelId: string) => void;
  onPickModel: () => void;
  onReceipt: (requestId: string) => void;
}

/** What messages call; the object stays the same for a chat, whatever changes around it. */
export function useActions(inputs: ActionInputs): MessageActions {
  const latest = useRef(inputs);
  useEffect(() => {
    latest.current = inputs;
  });
  const { chat } = inputs;
  return useMemo(() => {
    const model = () => latest.current.modelId;
    return {
      onEdit: (id, text) => void chat.edit(id, { text, images: [], model: model() }),
      onRegenerate: (id, change = {}) => {
        if (change.model) latest.current.onPick(change.model);
        void chat.regenerate(id, change.model ?? model(), change);
      },
      onContinue: () => void chat.send({ text: CONTINUE, images: [], model: model() }),
      onChoose: (id) => chat.choose(id),
      onStop: () => chat.stop(),
      onPickModel: () => latest.current.onPickModel(),
      onReceipt: (requestId) => latest.current.onReceipt(requestId),
    };
  }, [chat]);
}
