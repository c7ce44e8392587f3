import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { useSelectedModel } from "@/app/use-selected-model";
import { AIAgentChat } from "@/features/chat/AIAgentChat";

const text = (value: unknown) => (value === undefined || value === "" ? undefined : String(value));

export const Route = createFileRoute("/chat")({
  validateSearch: (search: Record<string, unknown>): { chat?: string; model?: string } => ({
    chat: text(search.chat),
    model: text(search.model),
  }),
  component: ChatPage,
});

function ChatPage() {
  const { chat, model } = Route.useSearch();
  const selected = useSelectedModel(model);
  const navigate = useNavigate();
  return (
    <>
      <PageTitle>Chat</PageTitle>
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
