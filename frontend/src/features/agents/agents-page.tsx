import { useQuery } from "@tanstack/react-query";
import { installedQuery, listingsQuery } from "@/shared/api/queries";
import { useApi, useSession, withHost } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { Input, NativeSelect } from "@/shared/ui/input";
import { LoadFailed } from "@/shared/ui/load-failed";
import { EmptyState } from "@/shared/ui/notice";
import { SignedOut } from "@/shared/ui/signed-out";
import { Skeleton } from "@/shared/ui/skeleton";
import { AgentTile } from "./agent-tile";
import { AgentView } from "./agent-view";
import { AuthorDesk } from "./author-desk";

export interface AgentsState {
  q?: string;
  category?: string;
  /** `publisher/slug`: the agent whose page is open. */
  at?: string;
  tab?: "find" | "installed" | "mine";
  /** One of the author's agents that is open in the builder; `new`: one to be made. */
  edit?: string;
}

const categories = ["code", "writing", "data", "research", "support", "other"];
const tabs = [
  ["find", "Find"],
  ["installed", "Installed"],
  ["mine", "Mine"],
] as const;

/** Agents: found, agreed to, run; and published. The surroundings keep the state, in the address. */
function Page({ state, change }: { state: AgentsState; change: (patch: AgentsState) => void }) {
  const tab = state.tab ?? "find";
  if (state.at) return <AgentView path={state.at} onBack={() => change({ at: undefined })} />;
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex w-full max-w-5xl flex-col gap-4 p-4 sm:p-6">
        <h1 className="text-xl font-semibold">Agents</h1>
        <nav aria-label="Agents" className="flex gap-1">
          {tabs.map(([name, label]) => (
            <Button
              key={name}
              variant={tab === name ? "primary" : "secondary"}
              aria-pressed={tab === name}
              onClick={() => change({ tab: name, edit: undefined })}
            >
              {label}
            </Button>
          ))}
        </nav>
        {tab === "find" && <Find state={state} change={change} />}
        {tab === "installed" && <Installed onOpen={(at) => change({ at })} />}
        {tab === "mine" && <AuthorDesk edit={state.edit} onEdit={(edit) => change({ edit })} />}
      </div>
    </div>
  );
}

function Find({ state, change }: { state: AgentsState; change: (patch: AgentsState) => void }) {
  const api = useApi();
  const query = useQuery(listingsQuery(api, state.q ?? "", state.category ?? ""));
  return (
    <>
      <div className="flex flex-wrap gap-2">
        <Input
          type="search"
          aria-label="Search agents"
          placeholder="Search agents"
          className="max-w-md flex-1"
          value={state.q ?? ""}
          onChange={({ target }) => change({ q: target.value || undefined })}
        />
        <NativeSelect
          aria-label="Category"
          value={state.category ?? ""}
          onChange={({ target }) => change({ category: target.value || undefined })}
        >
          <option value="">All categories</option>
          {categories.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </NativeSelect>
      </div>
      {query.isLoading && <Skeleton className="h-40" />}
      {query.isError && <LoadFailed what="Agents" error={query.error} onRetry={() => void query.refetch()} />}
      {query.data?.listings.length === 0 && (
        <EmptyState
          title="No agent fits"
          actions={<Button onClick={() => change({ q: undefined, category: undefined })}>Show all agents</Button>}
        >
          Every word must stand in its name, category or description.
        </EmptyState>
      )}
      <ul className="grid gap-2 sm:grid-cols-2 lg:grid-cols-3">
        {query.data?.listings.map((found) => (
          <li key={found.agent.id}>
            <AgentTile found={found} onOpen={() => change({ at: `${found.agent.publisher}/${found.agent.slug}` })} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Installed({ onOpen }: { onOpen: (at: string) => void }) {
  const api = useApi();
  const { token } = useSession();
  const query = useQuery(installedQuery(api, token));
  if (!token) return <SignedOut />;
  if (query.data?.agents.length === 0)
    return (
      <EmptyState title="None yet">An agent that you agree to stands here, and in your editors' lists of models.</EmptyState>
    );
  return (
    <ul className="flex flex-col gap-2">
      {query.data?.agents.map(({ agent, version, pinned, asked_again }) => (
        <li key={agent.id} className="flex flex-wrap items-center gap-2 rounded-md border border-line bg-raised px-3 py-2">
          <button
            type="button"
            className="font-medium text-link underline"
            onClick={() => onOpen(`${agent.publisher}/${agent.slug}`)}
          >
            {version.spec.name}
          </button>
          <code className="text-xs text-muted">{agent.model}</code>
          {pinned !== null && <span className="text-xs">stays with version {pinned}</span>}
          {asked_again && <span className="text-xs text-warning">what it may do has changed: agree again</span>}
        </li>
      ))}
    </ul>
  );
}

export const AgentsPage = withHost(Page);
