import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi, useSession } from "@/shared/api/services";
import { money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Field, Input } from "@/shared/ui/input";
import { LoadFailed } from "@/shared/ui/load-failed";
import { Skeleton } from "@/shared/ui/skeleton";
import { DeleteRun } from "./delete-run";
import { Questions } from "./questions";
import { RunReceiptTable } from "./run-receipt";
import { RunSteps } from "./run-steps";
import { cancelRun, isOver, type Run, raiseCap, runQuery } from "./runs-api";
import { stateInWords } from "./words";

/** One run, live: what it does, what it has cost of its cap, what it asks; stopped and let go on from here. */
export function RunView({ id, onDeleted }: { id: string; onDeleted: () => void }) {
  const api = useApi();
  const { token } = useSession();
  const query = useQuery(runQuery(api, token, id));
  const client = useQueryClient();
  const stopping = useMutation({
    mutationFn: () => cancelRun(api, id),
    onSettled: () => client.invalidateQueries({ queryKey: ["run"] }),
  });
  if (query.isError) {
    return <LoadFailed what="This run" error={query.error} onRetry={() => void query.refetch()} />;
  }
  const run = query.data;
  if (!run) return <Skeleton className="h-60" />;
  return (
    <section aria-label={`Run of ${run.name || run.agent_id}`} className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center gap-3">
        <h2 className="text-lg font-semibold break-all">{run.name || run.agent_id}</h2>
        <p role="status">{stateInWords(run)}</p>
        {!isOver(run.state) && (
          <Button className="ml-auto" busy={stopping.isPending} onClick={() => stopping.mutate()}>
            Stop
          </Button>
        )}
        {isOver(run.state) && <DeleteRun id={id} onDeleted={onDeleted} />}
      </div>
      <Cost run={run} />
      <Questions questions={run.approvals} />
      {run.state === "paused" && <GoOn run={run} />}
      {run.result && (
        <section aria-label="Answer" className="rounded-md border border-line p-3 whitespace-pre-wrap break-words">
          {run.result}
        </section>
      )}
      <RunSteps steps={run.steps} />
      <RunReceiptTable id={id} final={isOver(run.state)} />
    </section>
  );
}

function Cost({ run }: { run: Run }) {
  if (run.cap === null) return <p>{money(run.spent)} spent</p>;
  const words = `${money(run.spent)} of at most ${money(run.cap)}`;
  return (
    <div className="flex flex-wrap items-center gap-3">
      <progress aria-label="Spent of the cap" className="h-2 w-48" max={Number(run.cap)} value={Number(run.spent)} />
      <span className="tabular-nums">{words}</span>
      {run.reserved > 0 && <span className="text-muted tabular-nums">{money(run.reserved)} reserved</span>}
    </div>
  );
}

/** A higher cap, with which a paused run goes on from where it stood. */
function GoOn({ run }: { run: Run }) {
  const api = useApi();
  const client = useQueryClient();
  const [cap, setCap] = useState(String(Number(run.cap ?? 0) * 2));
  const raising = useMutation({
    mutationFn: () => raiseCap(api, run.run_id, Number(cap)),
    onSuccess: () => client.invalidateQueries({ queryKey: ["run"] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    raising.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-wrap items-end gap-3">
      <Field label="New cap, dollars" error={raising.error?.message}>
        {(control) => (
          <Input
            {...control}
            type="number"
            min="0"
            max="1000"
            step="any"
            required
            value={cap}
            onChange={(event) => setCap(event.target.value)}
          />
        )}
      </Field>
      <Button variant="primary" type="submit" busy={raising.isPending}>
        Go on
      </Button>
    </form>
  );
}
