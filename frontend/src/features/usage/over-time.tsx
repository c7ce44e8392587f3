import { useQuery } from "@tanstack/react-query";
import { useApi, useSession } from "@/shared/api/services";
import { Heat } from "@/shared/charts/heat";
import { TimeBars } from "@/shared/charts/time-bars";
import { TimeLines } from "@/shared/charts/time-lines";
import { answers, count } from "@/shared/lib/format";
import { Skeleton } from "@/shared/ui/skeleton";
import { columnOf, type Field, type Filters } from "@/shared/usage/filters";
import { useNames } from "@/shared/usage/names";
import { usageQuery, zone } from "@/shared/usage/usage-api";
import { everyPeriod, granularityFor, type Measure, seriesOf, shortLabel, timeSentence, weekOf } from "./figures";

interface OverTimeProps {
  filters: Filters;
  by: Field;
  measure: Measure;
  onFilters: (filters: Filters) => void;
}

/** Bars where parts add up, lines where they do not. */
export function OverTime({ filters, by, measure }: OverTimeProps) {
  const api = useApi();
  const { token } = useSession();
  const name = useNames();
  const granularity = granularityFor(filters.days);
  const metrics = [...new Set([measure.metric, "requests", "spend"])];
  const found = useQuery(usageQuery(api, token, { metrics, by: ["time", by], granularity, filters })).data;
  if (!found) return <Skeleton className="h-64" />;
  const periods = everyPeriod(found.since, found.until, granularity, zone());
  const series = seriesOf(found.rows, periods, measure, (row) => name(by, row[columnOf[by]]));
  const Chart = measure.sums ? TimeBars : TimeLines;
  return (
    <div className="min-w-0 rounded-lg border border-line bg-surface p-4">
      <Chart
        title={`${measure.name} by ${granularity}`}
        sentence={timeSentence(measure, found.totals.requests ? measure.read(found.totals) : null, series, periods)}
        labels={series.length > 0 ? periods.map(shortLabel) : []}
        series={series}
        format={measure.format}
      />
      {found.truncated && <p className="text-xs text-muted">The smallest groups are left out.</p>}
    </div>
  );
}

const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const hours = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));

/** At which hours of the week calls are made: of at most the last two months, as hours are many. */
export function Week({ filters }: { filters: Filters }) {
  const api = useApi();
  const { token } = useSession();
  const recent = { ...filters, days: Math.min(filters.days, 56) };
  const question = { metrics: ["requests"], by: ["time"] as const, granularity: "hour" as const, filters: recent };
  const found = useQuery(usageQuery(api, token, question)).data;
  if (!found) return null;
  const week = weekOf(found.rows);
  const flat = week.flat();
  const most = flat.indexOf(Math.max(...flat));
  const total = found.totals.requests ?? 0;
  return (
    <div className="min-w-0 rounded-lg border border-line bg-surface p-4">
      <Heat
        title="When calls are made"
        sentence={
          total > 0
            ? `${answers(total)} in ${recent.days} days; most on ${weekdays[Math.floor(most / 24)]} from ${hours[most % 24]}:00 on.`
            : "No calls in this time."
        }
        rows={weekdays}
        columns={hours}
        values={week}
        format={count}
      />
    </div>
  );
}
