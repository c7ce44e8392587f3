import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi, useSession, withHost } from "@/shared/api/services";
import { Ranked } from "@/shared/charts/ranked";
import { count, money, tokens } from "@/shared/lib/format";
import { NativeSelect } from "@/shared/ui/input";
import { LoadFailed } from "@/shared/ui/load-failed";
import { SignedOut } from "@/shared/ui/signed-out";
import { Skeleton } from "@/shared/ui/skeleton";
import { lasted } from "@/shared/usage/durations";
import { FilterBar } from "@/shared/usage/filter-bar";
import { columnOf, type Field, type Filters, fields, hrefWith, withValue } from "@/shared/usage/filters";
import { fieldNames, useNames } from "@/shared/usage/names";
import { type UsageFound, usageQuery } from "@/shared/usage/usage-api";
import { type MeasureName, measures, rankedOf, rankedSentence } from "./figures";
import { OverTime, Week } from "./over-time";

export interface UsagePageProps {
  filters: Filters;
  onFilters: (filters: Filters) => void;
}

const all = ["spend", "requests", "tokens", "errors", "error_share", "cache_share", "latency", "first_token"];

/** What was used, by any of its sides. Every figure leads to the calls behind it. */
function Usage({ filters, onFilters }: UsagePageProps) {
  const api = useApi();
  const { token } = useSession();
  const [measure, setMeasure] = useState<MeasureName>("spend");
  const [by, setBy] = useState<Field>("model");
  const totals = useQuery(usageQuery(api, token, { metrics: all, by: [], filters }));
  const groups = useQuery(usageQuery(api, token, { metrics: all, by: [by], filters })).data;
  if (!token) {
    return <SignedOut>Here you will find what you used, and what it cost.</SignedOut>;
  }
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex w-full max-w-6xl flex-col gap-4 p-4 sm:p-6">
        <div className="flex flex-wrap items-baseline gap-4">
          <h1 className="text-xl font-semibold">Usage</h1>
          <a href={hrefWith("/activity", filters)} className="text-link underline">
            The calls behind it
          </a>
          <a href="/account" className="text-link underline">
            Account
          </a>
        </div>
        <FilterBar filters={filters} onChange={onFilters} />
        {totals.isLoading && <Skeleton className="h-24" />}
        {totals.isError && <LoadFailed what="Your usage" error={totals.error} onRetry={() => void totals.refetch()} />}
        {totals.data && <Totals totals={totals.data.totals} />}
        <div className="flex flex-wrap gap-2">
          <NativeSelect
            aria-label="Measure"
            value={measure}
            onChange={(event) => setMeasure(event.target.value as MeasureName)}
          >
            {Object.entries(measures).map(([key, { name }]) => (
              <option key={key} value={key}>
                {name}
              </option>
            ))}
          </NativeSelect>
          <NativeSelect aria-label="Grouped by" value={by} onChange={(event) => setBy(event.target.value as Field)}>
            {fields.map((field) => (
              <option key={field} value={field}>
                by {fieldNames[field].toLowerCase()}
              </option>
            ))}
          </NativeSelect>
        </div>
        <div className="grid min-w-0 grid-cols-1 gap-4 lg:grid-cols-2">
          <OverTime filters={filters} by={by} measure={measures[measure]} onFilters={onFilters} />
          {groups && <Groups found={groups} by={by} measure={measure} filters={filters} onFilters={onFilters} />}
          <Week filters={filters} />
        </div>
      </div>
    </div>
  );
}

type GroupsProps = UsagePageProps & { found: UsageFound; by: Field; measure: MeasureName };

function Groups({ found, by, measure, filters, onFilters }: GroupsProps) {
  const name = useNames();
  const chosen = measures[measure];
  const items = rankedOf(found.rows, chosen, (row) => name(by, row[columnOf[by]])).slice(0, 25);
  const values = new Map(found.rows.map((row) => [name(by, row[columnOf[by]]), row[columnOf[by]] ?? "none"]));
  return (
    <div className="rounded-lg border border-line bg-surface p-4">
      <Ranked
        title={`${chosen.name} by ${fieldNames[by].toLowerCase()}`}
        sentence={rankedSentence(items, chosen, found.totals.requests ?? 0)}
        items={items}
        format={chosen.format}
        onPick={(index) => {
          const value = values.get(items[index]?.name ?? "");
          if (value !== undefined) onFilters(withValue(filters, by, value));
        }}
      />
      {(found.truncated || found.rows.length > items.length) && (
        <p className="text-xs text-muted">
          The first {items.length} of {found.truncated ? "more than " : ""}
          {count(found.rows.length)}; the sentence counts all.
        </p>
      )}
    </div>
  );
}

function Totals({ totals }: { totals: UsageFound["totals"] }) {
  const tiles = [
    ["Spend", money(totals.spend)],
    ["Calls", count(totals.requests ?? 0)],
    ["Tokens", tokens(totals.tokens)],
    ["Errors", totals.error_share === null ? "–" : measures.error_share.format(totals.error_share ?? 0)],
    ["Cached input", totals.cache_share === null ? "–" : measures.cache_share.format(totals.cache_share ?? 0)],
    ["First word, usual", lasted(totals.first_token?.p50)],
    ["Took, usual", lasted(totals.latency?.p50)],
    ["Took, slowest 1 %", lasted(totals.latency?.p99)],
  ];
  return (
    <dl className="grid grid-cols-2 gap-3 sm:grid-cols-4 lg:grid-cols-8">
      {tiles.map(([label, value]) => (
        <div key={label} className="rounded-lg border border-line bg-surface p-3">
          <dt className="text-xs text-muted">{label}</dt>
          <dd className="m-0 text-base font-semibold tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export const UsagePage = withHost<UsagePageProps>(Usage);
