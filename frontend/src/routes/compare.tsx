import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { ComparePage } from "@/features/chat/compare/compare-page";

interface CompareSearch {
  id?: string;
  /** Whom to ask, separated by commas. */
  models?: string;
}

export const Route = createFileRoute("/compare")({
  validateSearch: ({ id, models }: Record<string, unknown>): CompareSearch => ({
    ...(typeof id === "string" ? { id } : {}),
    ...(typeof models === "string" ? { models } : {}),
  }),
  component: CompareRoute,
});

function CompareRoute() {
  const { id, models } = Route.useSearch();
  const navigate = useNavigate();
  return (
    <>
      <PageTitle>Compare answers</PageTitle>
      <ComparePage
        id={id ?? null}
        models={models?.split(",").filter(Boolean).slice(0, 4) ?? []}
        onOpen={(next) => void navigate({ to: "/compare", search: next ? { id: next } : {} })}
        onConversation={(conversation) => void navigate({ to: "/chat", search: { chat: conversation } })}
      />
    </>
  );
}
