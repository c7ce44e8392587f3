import { useNavigate } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense } from "react";

const AgentsStrip = lazy(async () => ({ default: (await import("@/features/agents/agents-strip")).AgentsStrip }));

/** What stands above the models of a search: the agents that fit it. */
export function useAgentsBeside(): (q: string) => ReactNode {
  const navigate = useNavigate();
  return (q) =>
    q === "" ? null : (
      <Suspense fallback={null}>
        <AgentsStrip q={q} onOpen={(at) => void navigate({ to: "/agents", search: { at } })} />
      </Suspense>
    );
}
