import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { AgentsPage, type AgentsState } from "@/features/agents/agents-page";

const tabs = ["find", "installed", "mine"];

export const Route = createFileRoute("/agents")({
  validateSearch: ({ q, category, at, tab, edit }: Record<string, unknown>): AgentsState => ({
    ...(typeof q === "string" && q ? { q } : {}),
    ...(typeof category === "string" && category ? { category } : {}),
    ...(typeof at === "string" && at ? { at } : {}),
    ...(typeof tab === "string" && tabs.includes(tab) ? { tab: tab as AgentsState["tab"] } : {}),
    ...(typeof edit === "string" && edit ? { edit } : {}),
  }),
  component: AgentsRoute,
});

function AgentsRoute() {
  const state = Route.useSearch();
  const navigate = useNavigate({ from: "/agents" });
  const change = (patch: AgentsState) =>
    void navigate({
      search: (before) => Object.fromEntries(Object.entries({ ...before, ...patch }).filter(([, v]) => v !== undefined)),
      replace: "q" in patch,
    });
  return (
    <>
      <PageTitle>Agents</PageTitle>
      <AgentsPage state={state} change={change} />
    </>
  );
}
