import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useApi, useSession, withHost } from "@/shared/api/services";
import { moment, money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { LoadFailed } from "@/shared/ui/load-failed";
import { PageLink } from "@/shared/ui/page-link";
import { SignedOut } from "@/shared/ui/signed-out";
import { Questions } from "./questions";
import { RunView } from "./run-view";
import { inboxQuery, runsQuery } from "./runs-api";
import { StartForm } from "./start-form";
import { stateInWords } from "./words";

export interface RunsPageProps {
  run: string | null;
  onRun: (id: string | null) => void;
}

/** Runs of one's own: what waits for an answer first, then one run as it goes, and the list of all. */
function Runs({ run, onRun }: RunsPageProps) {
  const { token } = useSession();
  if (!token) {
    return <SignedOut>Here you will find the runs of your agents, step by step, with what they cost.</SignedOut>;
  }
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex w-full max-w-4xl flex-col gap-6 p-4 sm:p-6">
        <h1 className="text-xl font-semibold">Runs of agents</h1>
        <Inbox shown={run} />
        {run ? (
          <>
            <Button className="self-start" onClick={() => onRun(null)}>
              All runs
            </Button>
            <RunView key={run} id={run} onDeleted={() => onRun(null)} />
          </>
        ) : (
          <>
            <StartForm onStarted={onRun} />
            <RunList onRun={onRun} />
          </>
        )}
      </div>
    </div>
  );
}

/** Calls of all runs that wait; those of the run that is shown stand with it. */
function Inbox({ shown }: { shown: string | null }) {
  const api = useApi();
  const { token } = useSession();
  const { data } = useQuery(inboxQuery(api, token));
  const others = data?.filter((question) => question.run_id !== shown) ?? [];
  if (!others.length) return null;
  return (
    <section aria-label="Inbox" className="flex flex-col gap-2">
      <h2 className="text-lg font-semibold">Waiting for you</h2>
      <Questions questions={others} />
    </section>
  );
}

function RunList({ onRun }: { onRun: (id: string) => void }) {
  const api = useApi();
  const { token } = useSession();
  const query = useInfiniteQuery(runsQuery(api, token));
  const runs = query.data?.pages.flatMap((page) => page.runs) ?? [];
  if (query.isError) {
    return <LoadFailed what="Your runs" error={query.error} onRetry={() => void query.refetch()} />;
  }
  if (query.isSuccess && !runs.length) return <p className="text-muted">No run yet.</p>;
  return (
    <>
      <ul aria-label="Runs" className="flex flex-col divide-y divide-line rounded-md border border-line">
        {runs.map((line) => (
          <li key={line.run_id}>
            <PageLink
              to={`/runs?run=${encodeURIComponent(line.run_id)}`}
              className="flex flex-wrap items-baseline gap-3 p-3 hover:bg-raised"
              onFollow={() => onRun(line.run_id)}
            >
              <span className="font-medium break-all">{line.agent_id}</span>
              <span className="text-muted">{stateInWords(line)}</span>
              <span className="ml-auto tabular-nums">{money(line.spent)}</span>
              <span className="text-muted">{moment(line.created_at)}</span>
            </PageLink>
          </li>
        ))}
      </ul>
      {query.hasNextPage && (
        <Button className="self-start" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Older runs
        </Button>
      )}
    </>
  );
}

export const RunsPage = withHost<RunsPageProps>(Runs);
