import { createFileRoute } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { EvaluationsPage } from "@/features/chat/evaluations/evaluations-page";

export const Route = createFileRoute("/evaluations")({
  /** Whom to ask, separated by commas. */
  validateSearch: ({ models }: Record<string, unknown>): { models?: string } =>
    typeof models === "string" ? { models } : {},
  component: EvaluationsRoute,
});

function EvaluationsRoute() {
  const { models } = Route.useSearch();
  return (
    <>
      <PageTitle>Evaluations</PageTitle>
      <EvaluationsPage models={models?.split(",").filter(Boolean).slice(0, 4) ?? []} />
    </>
  );
}
