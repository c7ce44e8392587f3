import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { count, funds, money } from "@/shared/lib/format";
import { NativeSelect } from "@/shared/ui/input";
import { LoadFailed } from "@/shared/ui/load-failed";
import { Skeleton } from "@/shared/ui/skeleton";
import { type Overview, overviewQuery } from "./admin-api";
import { SetUpGuide } from "./set-up-guide";

const periods = [1, 7, 30, 90, 365];

/** Money in, use, what is owed, and what waits for somebody. */
export function OverviewPart() {
  const api = useApi();
  const [days, setDays] = useState(30);
  const query = useQuery(overviewQuery(api, days));
  if (query.isError) return <LoadFailed what="The overview" error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton className="h-60" />;
  const found = query.data;
  return (
    <div className="flex flex-col gap-4">
      <NativeSelect
        aria-label="Period"
        className="w-fit"
        value={days}
        onChange={(event) => setDays(Number(event.target.value))}
      >
        {periods.map((period) => (
          <option key={period} value={period}>
            {period === 1 ? "the last day" : `the last ${period} days`}
          </option>
        ))}
      </NativeSelect>
      <SetUpGuide />
      <ToDo found={found} />
      <Tiles
        title="In this time"
        tiles={[
          ["Money in", funds(found.paid_in)],
          ["Went back", funds(found.went_back)],
          ["Spent by users", money(found.spend)],
          ["Provider cost", money(found.provider_cost)],
          ["Margin", money(found.margin)],
          ["Absorbed", money(found.absorbed)],
          ["Given back for answers", money(found.given_back)],
          ["Calls", count(found.requests)],
          ["Errors", found.error_share === null ? "–" : `${(found.error_share * 100).toFixed(1)} %`],
        ]}
      />
      <Tiles
        title="Now"
        tiles={[
          ["Credit owed, paid", funds(found.owed_paid)],
          ["Credit owed, promotional", funds(found.owed_promotional)],
          ["Frozen", funds(found.frozen)],
          ["Debt of accounts", funds(found.debt)],
          ["Held for running calls", money(found.held)],
          ["Calls in flight", count(found.in_flight)],
        ]}
      />
    </div>
  );
}

function ToDo({ found }: { found: Overview }) {
  const waiting = [
    [found.to_do.transfers, "bank transfers to look for", "payments"],
    [found.to_do.refunds, "refunds to pay back", "payments"],
    [found.to_do.disputed, "payments disputed by a bank", "payments"],
    [found.to_do.refused, "payments that did not fit their order", "payments"],
    [found.to_do.disputes, "disputed answers to decide", "answers"],
    [found.to_do.agents, "agents to review", "agents"],
    [found.to_do.reports, "reports about agents", "agents"],
    [found.to_do.prices, "price changes to decide", "models"],
  ] as const;
  const some = waiting.filter(([number]) => number > 0);
  return (
    <section aria-label="To do" className="rounded-lg border border-line bg-surface p-4">
      <h2 className="mb-1 text-base font-semibold">To do</h2>
      {some.length === 0 ? (
        <p className="text-muted">Nothing waits for you.</p>
      ) : (
        <ul className="list-disc pl-5">
          {some.map(([number, words, part]) => (
            <li key={words}>
              <a className="text-link underline" href={`/admin?part=${part}`}>
                {number} {words}
              </a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Tiles({ title, tiles }: { title: string; tiles: [string, string][] }) {
  return (
    <section aria-label={title}>
      <h2 className="mb-2 text-base font-semibold">{title}</h2>
      <dl className="grid grid-cols-2 gap-3 sm:grid-cols-4">
        {tiles.map(([label, value]) => (
          <div key={label} className="rounded-lg border border-line bg-surface p-3">
            <dt className="text-xs text-muted">{label}</dt>
            <dd className="m-0 text-base font-semibold tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
