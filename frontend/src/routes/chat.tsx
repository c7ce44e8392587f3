import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { AIAgentChat } from "@/features/chat/AIAgentChat";

const text = (value: unknown) => (value === undefined || value === "" ? undefined : String(value));

export const Route = createFileRoute("/chat")({
  validateSearch: (search: Record<string, unknown>): { chat?: string } => ({ chat: text(search.chat) }),
  component: ChatPage,
});

function ChatPage() {
  const { chat } = Route.useSearch();
  const navigate = useNavigate();
  return (
    <>
      <h1 className="sr-only">Chat</h1>
      <AIAgentChat
        focusAtOnce
        conversationId={chat ?? null}
        onConversationChange={(next) =>
          void navigate({ to: "/chat", search: { chat: next ?? undefined }, replace: next !== null && chat === undefined })
        }
      />
    </>
  );
}
