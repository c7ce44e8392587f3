import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useApi, useSession } from "@/shared/api/services";
import { count, money } from "@/shared/lib/format";
import { Badge } from "@/shared/ui/badge";
import { Button } from "@/shared/ui/button";
import { Field, Input } from "@/shared/ui/input";
import { LoadFailed } from "@/shared/ui/load-failed";
import { SignedOut } from "@/shared/ui/signed-out";
import { earningsQuery, figuresQuery, mineQuery, publisherQuery, takeHandle } from "./agents-api";
import { Builder } from "./builder";

/** What authors do: a handle, their agents, the builder, and what came of it. */
export function AuthorDesk({ edit, onEdit }: { edit?: string; onEdit: (id: string | undefined) => void }) {
  const api = useApi();
  const { token } = useSession();
  const publisher = useQuery(publisherQuery(api, token));
  if (!token) return <SignedOut />;
  if (publisher.data?.handle === null) return <HandleForm />;
  if (!publisher.data) return null;
  if (edit)
    return <Builder key={edit} id={edit === "new" ? "" : edit} handle={publisher.data.handle ?? ""} onDone={onEdit} />;
  return (
    <>
      <Earnings />
      <MyAgents onEdit={onEdit} />
    </>
  );
}

function HandleForm() {
  const api = useApi();
  const cache = useQueryClient();
  const [handle, setHandle] = useState("");
  const [problem, setProblem] = useState("");
  const take = () =>
    takeHandle(api, handle)
      .then(() => cache.invalidateQueries({ queryKey: ["agents", "publisher"] }))
      .catch((error: Error) => setProblem(error.message));
  return (
    <form
      className="flex max-w-md flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        void take();
      }}
    >
      <p className="text-sm">
        Your agents are called <code>agent/handle/name</code>. A handle is taken once, for good.
      </p>
      <Field label="Handle" hint="a-z, 0-9 and dashes" error={problem || undefined}>
        {(control) => <Input {...control} required value={handle} onChange={({ target }) => setHandle(target.value)} />}
      </Field>
      <div>
        <Button variant="primary" type="submit">
          Take this handle
        </Button>
      </div>
    </form>
  );
}

function Earnings() {
  const api = useApi();
  const { token } = useSession();
  const earned = useQuery(earningsQuery(api, token)).data;
  if (!earned) return null;
  return (
    <section aria-label="Earnings" className="text-sm tabular-nums">
      Earned: {money(earned.pending)} waiting for 14 days, {money(earned.payable)} payable, {money(earned.paid_out)} paid
      out.
    </section>
  );
}

function MyAgents({ onEdit }: { onEdit: (id: string) => void }) {
  const api = useApi();
  const { token } = useSession();
  const query = useQuery(mineQuery(api, token));
  return (
    <>
      {query.isError && <LoadFailed what="Your agents" error={query.error} onRetry={() => void query.refetch()} />}
      <ul className="flex flex-col gap-2">
        {query.data?.agents.map(({ agent, versions }) => (
          <li key={agent.id} className="rounded-md border border-line bg-raised px-3 py-2">
            <div className="flex flex-wrap items-center gap-2">
              <button type="button" className="font-medium text-link underline" onClick={() => onEdit(agent.id)}>
                {versions[0]?.spec.name}
              </button>
              <code className="text-xs text-muted">{agent.model}</code>
              <Badge>{agent.visibility}</Badge>
              <Badge tone={versions[0]?.state === "rejected" ? "danger" : "neutral"}>
                version {versions[0]?.version}: {versions[0]?.state}
              </Badge>
            </div>
            <OwnNumbers id={agent.id} />
          </li>
        ))}
      </ul>
      <div>
        <Button variant="primary" onClick={() => onEdit("new")}>
          New agent
        </Button>
      </div>
    </>
  );
}

/** Sums only: nothing that any one user could be told from. */
function OwnNumbers({ id }: { id: string }) {
  const api = useApi();
  const { token } = useSession();
  const seen = useQuery(figuresQuery(api, token, id)).data;
  if (!seen) return null;
  const errors = Object.entries(seen.errors);
  return (
    <p className="text-xs text-muted tabular-nums">
      30 days: {count(seen.runs)} runs, {money(seen.revenue)} earned
      {seen.enough
        ? ` · ${count(seen.users ?? 0)} users · ${count(seen.delivered ?? 0)} delivered · ${((seen.took_p50_ms ?? 0) / 1000).toFixed(1)} s usual`
        : " · more is shown once five people have run it"}
      {seen.rating?.mean != null && ` · ${seen.rating.mean.toFixed(1)} of 5 (${count(seen.rating.n)})`}
      {errors.length > 0 && ` · ${errors.map(([name, n]) => `${name} ${count(n)}`).join(", ")}`}
    </p>
  );
}
