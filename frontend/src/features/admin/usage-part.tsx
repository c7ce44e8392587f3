import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { Ranked } from "@/shared/charts/ranked";
import { count, money, tokens } from "@/shared/lib/format";
import { NativeSelect } from "@/shared/ui/input";
import { Skeleton } from "@/shared/ui/skeleton";
import { type UsageGroup, usageOfAllQuery } from "./admin-api";
import { Table } from "./table";

const sides = { user: "user", model: "model", provider: "provider", status: "status", time: "day" } as const;
type Side = keyof typeof sides;

const nameOf = (row: UsageGroup, by: Side): string =>
  (by === "user" ? (row.email ?? `deleted (${row.user_id})`) : row[by]) ?? "–";

/** What everybody used, with what it cost the operator. */
export function UsagePart() {
  const api = useApi();
  const [by, setBy] = useState<Side>("user");
  const [days, setDays] = useState(30);
  const found = useQuery(usageOfAllQuery(api, by, days)).data;
  const rows = found?.rows ?? [];
  const top = rows.filter((row) => (row.spend ?? 0) > 0).slice(0, 15);
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap gap-2">
        <NativeSelect aria-label="Grouped by" value={by} onChange={(event) => setBy(event.target.value as Side)}>
          {Object.entries(sides).map(([key, name]) => (
            <option key={key} value={key}>
              by {name}
            </option>
          ))}
        </NativeSelect>
        <NativeSelect aria-label="Period" value={days} onChange={(event) => setDays(Number(event.target.value))}>
          {[1, 7, 30, 90, 365].map((period) => (
            <option key={period} value={period}>
              {period === 1 ? "today" : `the last ${period} days`}
            </option>
          ))}
        </NativeSelect>
      </div>
      {!found && <Skeleton className="h-60" />}
      {found && (
        <>
          <div className="rounded-lg border border-line bg-surface p-4">
            <Ranked
              title={`Spend by ${sides[by]}`}
              sentence={`${money(found.totals.spend)} in ${count(found.totals.requests ?? 0)} calls; margin ${money(found.totals.margin)}.`}
              items={top.map((row) => ({ name: nameOf(row, by), value: row.spend ?? 0 }))}
              format={(value) => money(value)}
            />
          </div>
          <Table
            name={`Usage by ${sides[by]}`}
            columns={[sides[by], "Spend", "Provider cost", "Margin", "Calls", "Tokens", "Errors"]}
            rows={rows}
            keyOf={(row) => `${row.user_id ?? ""}${nameOf(row, by)}`}
            empty="No calls in this time."
            cells={(row) => [
              nameOf(row, by),
              money(row.spend),
              money(row.provider_cost),
              money(row.margin),
              count(row.requests ?? 0),
              tokens(row.tokens),
              row.error_share === null || row.error_share === undefined ? "–" : `${(row.error_share * 100).toFixed(1)} %`,
            ]}
          />
          {found.truncated && <p className="text-xs text-muted">The smallest groups are left out.</p>}
        </>
      )}
    </div>
  );
}
