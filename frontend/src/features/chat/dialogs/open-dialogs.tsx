import { lazy, Suspense } from "react";
import type { ChatModel } from "@/features/chat/models/models";
import type { Chat } from "@/features/chat/talk/chat";
import { activePath } from "@/features/chat/talk/tree";
import { CostDialog, SystemDialog } from "./chat-dialogs";

const ReceiptDialog = lazy(() =>
  import("@/shared/receipt/receipt-dialog").then((module) => ({ default: module.ReceiptDialog })),
);
const SettingsDialog = lazy(() => import("./settings-dialog").then((module) => ({ default: module.SettingsDialog })));
const AgentsDialog = lazy(() => import("./agents-dialog").then((module) => ({ default: module.AgentsDialog })));
const PromptsDialog = lazy(() =>
  import("@/features/chat/library/prompts-dialog").then((module) => ({ default: module.PromptsDialog })),
);
const ShareDialog = lazy(() =>
  import("@/features/chat/library/share-dialog").then((module) => ({ default: module.ShareDialog })),
);

export type Open =
  | { what: "history" | "model" | "agents" | "system" | "settings" | "cost" | "prompts" | "share"; search?: string }
  | { what: "receipt"; requestId: string }
  | null;

interface OpenDialogsProps {
  open: Open;
  chat: Chat;
  model: ChatModel;
  onPick: (modelId: string) => void;
  onClose: () => void;
}

/** What stands over a chat; each is fetched when it is first wanted. */
export function OpenDialogs({ open, chat, model, onPick, onClose }: OpenDialogsProps) {
  const { conversationId, system, settings } = chat.getState();
  return (
    <Suspense>
      {open?.what === "agents" && (
        <AgentsDialog start={{ model: model.id, instructions: system }} onPick={onPick} onClose={onClose} />
      )}
      {open?.what === "system" && <SystemDialog chat={chat} onClose={onClose} />}
      {open?.what === "settings" && (
        <SettingsDialog
          title="Settings of this chat"
          settings={settings}
          model={model}
          onSave={(next) => chat.setSettings(next)}
          onClose={onClose}
        />
      )}
      {open?.what === "cost" && <CostDialog chat={chat} onClose={onClose} />}
      {open?.what === "prompts" && (
        <PromptsDialog
          draft={chat.memory.read("draft", conversationId)}
          onUse={(text) => chat.addToDraft(text)}
          onClose={onClose}
        />
      )}
      {open?.what === "share" && conversationId && (
        <ShareDialog
          conversationId={conversationId}
          leafId={activePath(chat.getState().tree).at(-1)?.id ?? null}
          onClose={onClose}
        />
      )}
      {open?.what === "receipt" && <ReceiptDialog requestId={open.requestId} onClose={onClose} />}
    </Suspense>
  );
}
