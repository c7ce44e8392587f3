import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { RunsPage } from "@/features/runs/runs-page";

export const Route = createFileRoute("/runs")({
  validateSearch: (search: Record<string, unknown>): { run?: string } =>
    typeof search.run === "string" ? { run: search.run } : {},
  component: RunsRoute,
});

function RunsRoute() {
  const { run } = Route.useSearch();
  const navigate = useNavigate();
  return (
    <>
      <PageTitle>Runs</PageTitle>
      <RunsPage run={run ?? null} onRun={(id) => void navigate({ to: "/runs", search: id ? { run: id } : {} })} />
    </>
  );
}
