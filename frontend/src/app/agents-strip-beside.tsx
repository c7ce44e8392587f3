import { type ComponentType, lazy, type ReactNode, Suspense } from "react";

// It stands beside what was asked for: where it can't be fetched (offline), the models are shown without it.
const AgentsStrip = lazy<ComponentType<Strip>>(() =>
  import("@/features/agents/agents-strip").then(
    (module) => ({ default: module.AgentsStrip }),
    () => ({ default: NoStrip }),
  ),
);

interface Strip {
  q: string;
  onOpen: (at: string) => void;
}

function NoStrip(): ReactNode {
  return null;
}

/** What stands above the models of a search: the agents that fit it. */
export const agentsBeside = (onOpen: (at: string) => void) => (q: string) =>
  q === "" ? null : (
    <Suspense fallback={null}>
      <AgentsStrip q={q} onOpen={onOpen} />
    </Suspense>
  );
