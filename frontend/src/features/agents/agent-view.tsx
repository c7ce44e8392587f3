import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { installedQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import { count, moment, money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { LoadFailed } from "@/shared/ui/load-failed";
import { Skeleton } from "@/shared/ui/skeleton";
import { useToast } from "@/shared/ui/toast";
import { agree, type Card, cardQuery, feeWords, fork, quoteQuery, takeBack, type Version } from "./agents-api";
import { ReportForm } from "./report-form";
import { RunBox } from "./run-box";
import { VersionDiff } from "./version-diff";

/** An agent's page: what it does, who sees what, what it costs, and a place to run it. */
export function AgentView({ path, onBack }: { path: string; onBack: () => void }) {
  const api = useApi();
  const query = useQuery(cardQuery(api, path));
  const card = query.data;
  const live = card?.versions.find(({ version }) => version === card.agent.live);
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex w-full max-w-3xl flex-col gap-4 p-4 sm:p-6">
        <div>
          <Button variant="ghost" onClick={onBack}>
            All agents
          </Button>
        </div>
        {query.isLoading && <Skeleton className="h-60" />}
        {query.isError && <LoadFailed what="This agent" error={query.error} onRetry={() => void query.refetch()} />}
        {card && live && <Shown card={card} live={live} path={path} />}
      </div>
    </div>
  );
}

function Shown({ card, live, path }: { card: Card; live: Version; path: string }) {
  const { agent, figures } = card;
  const { spec } = live;
  return (
    <>
      <header>
        <h1 className="text-xl font-semibold">{spec.name}</h1>
        <p className="text-sm text-muted">
          by {agent.publisher} · <code>{agent.model}</code> · version {live.version} · {spec.licence}
          {agent.forked_from && ` · made from ${agent.forked_from}`}
        </p>
        <p className="mt-2">{spec.summary}</p>
        {spec.description && <p className="mt-2 whitespace-pre-wrap text-sm">{spec.description}</p>}
      </header>
      <dl className="grid grid-cols-2 gap-x-4 gap-y-1 text-sm sm:grid-cols-3 [&_dt]:text-xs [&_dt]:text-muted">
        <Fact name="People, 30 days" value={count(figures.payers)} />
        <Fact name="Answers delivered" value={figures.success === null ? "–" : `${Math.round(figures.success * 100)} %`} />
        <Fact name="Fees given back" value={figures.refunded === null ? "–" : `${Math.round(figures.refunded * 100)} %`} />
        <Fact name="Usual cost" value={figures.cost_p50 === null ? "–" : money(figures.cost_p50)} />
        <Fact
          name="Usual time"
          value={figures.took_p50_ms === null ? "–" : `${(figures.took_p50_ms / 1000).toFixed(1)} s`}
        />
        <Fact name="Rating" value={ratingWords(card)} />
      </dl>
      <Permission live={live} path={path} />
      <VersionDiff versions={card.versions} />
      {card.reviews.length > 0 && (
        <section aria-label="What users say" className="flex flex-col gap-2">
          <h2 className="font-semibold">What users say</h2>
          {card.reviews.map((review) => (
            <p key={review.at} className="text-sm">
              {review.stars} of 5, version {review.version}, {moment(review.at)}: {review.words}
            </p>
          ))}
        </section>
      )}
      {spec.licence !== "proprietary" && <Copy path={path} slug={agent.slug} />}
      <ReportForm path={path} version={live.version} />
    </>
  );
}

/** Makes a draft of one's own from it; the copy says what it was made from. */
function Copy({ path, slug }: { path: string; slug: string }) {
  const api = useApi();
  const toast = useToast();
  const copy = () =>
    fork(api, path, slug)
      .then(({ agent }) => toast({ title: `Copied to ${agent.model}: a draft, under Mine` }))
      .catch((error: Error) => toast({ title: error.message }));
  return (
    <div>
      <Button onClick={() => void copy()}>Copy into my agents</Button>
    </div>
  );
}

function ratingWords({ figures: { rating } }: Card): string {
  if (rating.mean === null || rating.low === null || rating.high === null) return "none yet";
  return `${rating.mean.toFixed(1)} of 5 from ${count(rating.n)} (${rating.low.toFixed(1)} to ${rating.high.toFixed(1)})`;
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="tabular-nums">{value}</dd>
    </div>
  );
}

/** What the agent may do, agreed to before the first run; then the place to run it. */
function Permission({ live, path }: { live: Version; path: string }) {
  const api = useApi();
  const { token } = useSession();
  const cache = useQueryClient();
  const toast = useToast();
  const [pin, setPin] = useState(false);
  const installed = useQuery(installedQuery(api, token)).data?.agents.find(
    ({ agent }) => `${agent.publisher}/${agent.slug}` === path,
  );
  const quote = useQuery(quoteQuery(api, path, live.version)).data;
  const agreed = installed !== undefined && !installed.asked_again;
  const { hosts, tools, scopes } = live.spec;
  const act = (done: Promise<unknown>) =>
    done
      .then(() => cache.invalidateQueries({ queryKey: ["agents", "installed"] }))
      .catch((error: Error) => toast({ title: error.message }));
  return (
    <section aria-label="Run" className="flex flex-col gap-3 rounded-lg border border-line bg-surface p-3">
      <p className="text-sm">
        <strong>Who sees your data:</strong> the model's provider
        {hosts.length > 0 ? `, ${hosts.join(", ")}` : ""}.{" "}
        {tools.length > 0
          ? `Tools: ${tools.map((tool) => `${tool.tool} (${tool.policy === "ask" ? "asks first" : tool.policy})`).join(", ")}.`
          : "It uses no tools."}
        {scopes.length > 0 && ` It may reach: ${scopes.join(", ")}.`}
      </p>
      <p className="text-sm tabular-nums">
        <strong>Cost:</strong> {feeWords(live.price_now, money)}.{" "}
        {quote?.p50 !== null && quote?.p90 !== null && quote !== undefined
          ? `A run costs ${money(quote.p50)} to ${money(quote.p90)} in all (${quote.basis === "measured" ? `measured from ${count(quote.n)} runs` : "computed from its limits"}), `
          : "A run costs what its models cost, "}
        never above {money(live.spec.limits.cap_default)} unless you allow it.
      </p>
      {agreed ? (
        <>
          <RunBox
            model={live.spec.name}
            path={path}
            name={`agent/${path}`}
            cap={String(live.spec.limits.cap_default)}
            starters={live.spec.starters}
          />
          <div className="flex items-center gap-3">
            <a href={`/compare?models=${encodeURIComponent(`agent/${path}`)}`} className="text-sm text-link underline">
              Compare with models
            </a>
            <Button size="sm" variant="ghost" onClick={() => void act(takeBack(api, path))}>
              Take my agreement back
            </Button>
          </div>
        </>
      ) : (
        <div className="flex flex-wrap items-center gap-3">
          <Button variant="primary" onClick={() => void act(agree(api, path, live.version, pin))}>
            {installed ? "Agree again" : "Agree and use"}
          </Button>
          <label className="flex items-center gap-1.5 text-sm">
            <input type="checkbox" checked={pin} onChange={({ target }) => setPin(target.checked)} />
            Stay with version {live.version}
          </label>
        </div>
      )}
    </section>
  );
}
