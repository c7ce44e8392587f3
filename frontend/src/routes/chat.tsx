import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { PageTitle } from "@/app/page-title";
import { useSelectedModel } from "@/app/use-selected-model";
import { AIAgentChat } from "@/features/chat/AIAgentChat";
import { titleOf } from "@/features/chat/talk/chat-state";
import { chatsOf, useChat } from "@/features/chat/talk/chats";
import { useServices, useSession } from "@/shared/api/services";

const text = (value: unknown) => (value === undefined || value === "" ? undefined : String(value));

export const Route = createFileRoute("/chat")({
  validateSearch: (search: Record<string, unknown>): { chat?: string; model?: string } => ({
    chat: text(search.chat),
    model: text(search.model),
  }),
  component: ChatPage,
});

/** Its own words tell a chat from the others among the browser's tabs and in its history. */
function ChatTitle({ conversationId }: { conversationId: string | null }) {
  const services = useServices();
  const { departures } = useSession();
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever comes after a departure has other chats
  const chat = useMemo(() => chatsOf(services).get(conversationId), [services, conversationId, departures]);
  const title = useChat(chat, titleOf);
  return <PageTitle>{title && conversationId ? title : "Chat"}</PageTitle>;
}

function ChatPage() {
  const { chat, model } = Route.useSearch();
  const selected = useSelectedModel(model);
  const navigate = useNavigate();
  return (
    <>
      <ChatTitle conversationId={chat ?? null} />
      <h1 className="sr-only">Chat</h1>
      <AIAgentChat
        focusAtOnce
        selectedModel={selected}
        conversationId={chat ?? null}
        onConversationChange={(next) =>
          void navigate({
            to: "/chat",
            search: { chat: next ?? undefined, model },
            replace: next !== null && chat === undefined,
          })
        }
      />
    </>
  );
}
