import { memo } from "react";
import type { Chat } from "@/features/chat/talk/chat";
import type { ChatMessage } from "@/features/chat/talk/chat-message";
import type { Siblings } from "@/features/chat/talk/tree";
import { AnswerView } from "./answer-view";
import { QuestionView } from "./question-view";

/** What a message may ask of the chat around it. The functions never change, so a message is drawn again only for itself. */
export interface MessageActions {
  onEdit: (id: string, text: string) => void;
  onRegenerate: (id: string, change?: { model?: string; maxTokens?: number; automatic?: boolean }) => void;
  onContinue: () => void;
  onChoose: (id: string) => void;
  onStop: () => void;
  onPickModel: () => void;
  onReceipt: (requestId: string) => void;
}

export interface MessageProps {
  chat: Chat;
  message: ChatMessage;
  siblings: Siblings;
  busy: boolean;
  actions: MessageActions;
}

export const MessageView = memo(function MessageView(props: MessageProps) {
  return props.message.role === "user" ? <QuestionView {...props} /> : <AnswerView {...props} />;
}, sameMessage);

function sameMessage(before: MessageProps, after: MessageProps): boolean {
  return (
    before.message === after.message &&
    before.busy === after.busy &&
    before.chat === after.chat &&
    before.actions === after.actions &&
    before.siblings.index === after.siblings.index &&
    before.siblings.ids.length === after.siblings.ids.length
  );
}
