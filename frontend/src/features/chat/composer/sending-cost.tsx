import { useQuery } from "@tanstack/react-query";
import type { ChatModel } from "@/features/chat/models/models";
import type { Chat } from "@/features/chat/talk/chat";
import { type EstimateInput, wireMessages } from "@/features/chat/talk/chat-api";
import { newMessage } from "@/features/chat/talk/chat-message";
import { useChat } from "@/features/chat/talk/chats";
import { settingsBody } from "@/features/chat/talk/settings";
import { activePath } from "@/features/chat/talk/tree";
import { balanceQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import { estimateWords, shortfallWords, useEstimate } from "./estimate";

export interface SendingCostInfo {
  words: string | null;
  /** Why this draft would be refused: it does not fit into what the model reads. */
  problem: string | null;
  /** What the send button says when the balance is short. */
  shortfall: string | null;
}

/** What sending this draft would cost, by the server's own estimate. */
export function useSendingCost(chat: Chat, model: ChatModel, text: string, images: string[]): SendingCostInfo {
  const api = useApi();
  const { token } = useSession();
  const input = useEstimateInput(chat, model, text, images);
  const balance = useQuery(balanceQuery(api, token)).data;
  const { estimate, problem } = useEstimate(input);
  return {
    problem,
    words: estimate ? estimateWords(estimate) : null,
    shortfall: shortfallWords(estimate, balance?.available),
  };
}

function useEstimateInput(chat: Chat, model: ChatModel, text: string, images: string[]): EstimateInput | null {
  const tree = useChat(chat, (state) => state.tree);
  const conversationId = useChat(chat, (state) => state.conversationId);
  const system = useChat(chat, (state) => state.system);
  const temporary = useChat(chat, (state) => state.temporary);
  const settings = settingsBody(useChat(chat, (state) => state.settings));
  const running = useChat(chat, (state) => state.run !== null);
  if (!text.trim() || running) return null;
  const path = activePath(tree);
  if (conversationId && !temporary) {
    const parent = path.findLast((message) => message.role === "assistant" && message.status !== "failed");
    return {
      model: model.id,
      conversation_id: conversationId,
      parent_id: parent?.id ?? null,
      message: text,
      ...settings,
      ...(system ? { system } : {}),
      ...(images.length ? { images } : {}),
    };
  }
  const draft = newMessage({ parentId: null, role: "user", content: text, images });
  return { model: model.id, messages: wireMessages([...path, draft], system), ...settings };
}

/** One quiet line under the text field; its height is there before the words are. */
export function SendingCost({ cost }: { cost: SendingCostInfo }) {
  return (
    <p aria-live="polite" className="min-h-4 text-xs text-muted tabular-nums">
      {cost.problem && <span className="text-warning">{cost.problem} </span>}
      {cost.words ? `This message: ${cost.words}` : ""}
    </p>
  );
}
