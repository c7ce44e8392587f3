import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useApi } from "@/shared/api/services";
import { count, moment, money, perMillion } from "@/shared/lib/format";
import { providerName } from "@/shared/lib/names";
import { DisputeAnswer } from "@/shared/receipt/dispute-answer";
import { type Attempt, estimateVerdict, type Generation, generationQuery } from "@/shared/receipt/receipt";
import { Thumbs } from "@/shared/receipt/thumbs";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { Skeleton } from "@/shared/ui/skeleton";

/** "What happened" on one call: who answered, what was tried before, and how the charge came about. */
export function ReceiptDialog({ requestId, onClose }: { requestId: string; onClose: () => void }) {
  const api = useApi();
  const query = useQuery(generationQuery(api, requestId));
  return (
    <Dialog open onOpenChange={onClose} title="What happened" description={requestId} variant="drawer">
      <DialogBody>
        {query.isLoading && <Skeleton className="h-60" />}
        {query.isError && (
          <p role="alert">
            The receipt could not be loaded.{" "}
            <Button variant="link" size="sm" onClick={() => void query.refetch()}>
              Try again
            </Button>
          </p>
        )}
        {query.data && <Receipt generation={query.data} />}
        {query.data && query.data.cost > 0 && (
          <div className="mt-5 flex flex-col">
            <DisputeAnswer requestId={requestId} cost={query.data.cost} />
          </div>
        )}
      </DialogBody>
    </Dialog>
  );
}

const endings: Record<string, string> = {
  stop: "the model was done",
  length: "length limit reached",
  stopped: "you stopped it",
  tool_calls: "the model called a tool",
  content_filter: "the provider's filter",
};

function Receipt({ generation: g }: { generation: Generation }) {
  const verdict = estimateVerdict(g);
  return (
    <div className="flex flex-col gap-5">
      <p className="text-lg">
        <span className="font-semibold">{g.cost === 0 ? (g.is_byok ? "On your own key" : "Free") : money(g.cost)}</span>
        <span className="text-muted">
          {" "}
          · {g.model}
          {g.provider && ` · ${providerName(g.provider)}`}
        </span>
      </p>
      {(g.status === "ok" || g.status === "partial") && (
        <p className="flex flex-wrap items-center gap-1 text-sm text-muted">
          What was it like? <Thumbs requestId={g.request_id} said={g.thumb ?? null} />
        </p>
      )}
      {g.fallback && (
        <p>
          {g.fallback.from} did not answer ({g.fallback.reason.replaceAll("_", " ")}); {g.fallback.to} answered instead.
        </p>
      )}
      {g.error && <p className="text-danger">{g.error.words ?? g.error.code}</p>}
      <Facts title="Charge">
        <Fact name="Charged">{money(g.cost)}</Fact>
        {g.list_cost !== null && g.list_cost !== undefined && g.list_cost !== g.cost && (
          <Fact name="List price">{money(g.list_cost)}</Fact>
        )}
        {g.estimate && (
          <Fact name="Said before sending">
            {g.estimate.maximum === 0 ? "free" : `about ${money(g.estimate.p50)}, at most ${money(g.estimate.maximum)}`}
          </Fact>
        )}
        {verdict && <Fact name="So it was">{verdict}</Fact>}
        {g.hold ? <Fact name="Set aside, then released">{money(g.hold)}</Fact> : null}
        {g.absorbed ? <Fact name="Borne by the operator">{money(g.absorbed)}</Fact> : null}
      </Facts>
      <Facts title="Tokens">
        <Fact name="In">{tokenWords(g.usage?.input_tokens, g.price?.input)}</Fact>
        <Fact name="Out">{tokenWords(g.usage?.output_tokens, g.price?.output)}</Fact>
        {g.usage?.cache_read_tokens ? (
          <Fact name="From cache">{tokenWords(g.usage.cache_read_tokens, g.price?.cache_read)}</Fact>
        ) : null}
        {g.usage?.reasoning_tokens ? <Fact name="Of which thinking">{count(g.usage.reasoning_tokens)}</Fact> : null}
        {g.usage?.estimated && <Fact name="Counted by">us: the provider did not say</Fact>}
      </Facts>
      <Facts title="Time">
        <Fact name="When">{moment(g.created_at)}</Fact>
        <Fact name="To the first token">{milliseconds(g.timings?.first_token_ms)}</Fact>
        <Fact name="In all">{milliseconds(g.timings?.total_ms)}</Fact>
        <Fact name="Ended">{endings[g.finish_reason ?? ""] ?? (g.finish_reason ?? g.status).replaceAll("_", " ")}</Fact>
      </Facts>
      {g.notes && g.notes.length > 0 && <Notes notes={g.notes} />}
      {g.attempts && g.attempts.length > 0 && <Attempts attempts={g.attempts} />}
    </div>
  );
}

function Notes({ notes }: { notes: NonNullable<Generation["notes"]> }) {
  return (
    <section>
      <h3 className="mb-1 font-medium">Not sent as it was written</h3>
      <ul className="flex flex-col gap-1">
        {notes.map((note) => (
          <li key={`${note.field} ${note.act}`} className="break-words rounded border border-line px-2 py-1">
            <code>{note.field}</code> {note.act.replaceAll("_", " ")}
            <span className="text-muted">: {note.reason}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Attempts({ attempts }: { attempts: Attempt[] }) {
  return (
    <section>
      <h3 className="mb-1 font-medium">Tried, in this order</h3>
      <ol className="flex flex-col gap-1">
        {attempts.map((attempt, index) => (
          <li
            key={`${attempt.provider} ${attempt.model} ${attempt.duration_ms}`}
            className="rounded border border-line px-2 py-1"
          >
            {index + 1}. {attempt.model} · {providerName(attempt.provider ?? "nobody")}
            {attempt.credential === "byok" ? " with your key" : ""}:{" "}
            <span className={attempt.reason ? "text-warning" : "text-success"}>
              {attempt.reason ?? (attempt.status === "ok" ? "answered" : attempt.status)}
            </span>
            {attempt.duration_ms !== undefined && <span className="text-muted"> · {milliseconds(attempt.duration_ms)}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Facts({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-1 font-medium">{title}</h3>
      <dl className="grid grid-cols-[minmax(8rem,auto)_1fr] gap-x-4 gap-y-1 tabular-nums">{children}</dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function tokenWords(tokens: number | undefined, price: string | undefined): string {
  if (tokens === undefined) return "–";
  if (price === undefined || Number(price) === 0) return count(tokens);
  return `${count(tokens)} at ${perMillion(price)} per 1M`;
}

function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}
