import { useQuery } from "@tanstack/react-query";
import { useApi, useSession } from "@/shared/api/services";
import { Spark } from "@/shared/charts/spark";
import { answers, money, tokens } from "@/shared/lib/format";
import { Skeleton } from "@/shared/ui/skeleton";
import { usageQuery } from "@/shared/usage/usage-api";
import { Section } from "./section";

const month = { days: 30, values: {} };
const metrics = ["spend", "requests", "tokens"];

/** The last 30 days in a line, and the way to the whole of it. */
export function UsageSection() {
  const api = useApi();
  const { token } = useSession();
  const query = useQuery(usageQuery(api, token, { metrics, by: ["time"], granularity: "day", filters: month }));
  const rows = query.data?.rows ?? [];
  return (
    <Section
      title="Usage"
      aside={
        <span className="flex gap-4">
          <a href="/usage" className="text-link underline">
            Usage in charts
          </a>
          <a href="/activity" className="text-link underline">
            Every call
          </a>
        </span>
      }
    >
      {query.isLoading && <Skeleton className="h-12" />}
      {query.isError && <p role="alert">{query.error.message}</p>}
      {query.data && rows.length === 0 && <p className="text-muted">Nothing was used in the last 30 days.</p>}
      {query.data && rows.length > 0 && (
        <div className="flex flex-wrap items-center gap-4">
          <p className="tabular-nums">
            <strong>{money(query.data.totals.spend)}</strong> for {answers(query.data.totals.requests ?? 0)},{" "}
            {tokens(query.data.totals.tokens)} tokens in 30 days
          </p>
          <Spark
            title="Spend by day"
            sentence={`${money(query.data.totals.spend)} in 30 days, on ${rows.length} of them.`}
            labels={rows.map((row) => row.time ?? "")}
            values={rows.map((row) => row.spend ?? 0)}
            format={money}
          />
        </div>
      )}
    </Section>
  );
}
