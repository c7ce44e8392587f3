import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi, useSession } from "@/shared/api/services";
import { answers, count, money, tokens } from "@/shared/lib/format";
import { NativeSelect } from "@/shared/ui/input";
import { Skeleton } from "@/shared/ui/skeleton";
import { type UsageRow, usageQuery } from "./account-api";
import { type DayCost, everyDay } from "./days";
import { Section } from "./section";

/** What was used: by day as a small chart, by model as a table. */
export function UsageSection() {
  const api = useApi();
  const { token } = useSession();
  const [days, setDays] = useState(30);
  const models = useQuery(usageQuery(api, token, "model", days));
  const byDay = useQuery(usageQuery(api, token, "day", days)).data;
  const rows = models.data?.usage ?? [];
  return (
    <Section
      title="Usage"
      aside={
        <NativeSelect aria-label="Period" value={days} onChange={(event) => setDays(Number(event.target.value))}>
          <option value={7}>7 days</option>
          <option value={30}>30 days</option>
          <option value={90}>90 days</option>
        </NativeSelect>
      }
    >
      {models.isLoading && <Skeleton className="h-32" />}
      {models.isError && <p role="alert">{models.error.message}</p>}
      {models.data && rows.length === 0 && <p className="text-muted">Nothing was used in this time.</p>}
      {models.data && rows.length > 0 && (
        <>
          <p className="tabular-nums">
            <strong>{money(models.data.total.cost)}</strong> for {answers(models.data.total.requests)},{" "}
            {tokens(models.data.total.tokens)} tokens
          </p>
          {byDay && <DayChart days={everyDay(byDay.usage, days, new Date())} />}
          <ModelTable rows={rows} />
        </>
      )}
    </Section>
  );
}

const WIDTH = 600;
const HEIGHT = 72;

function DayChart({ days }: { days: DayCost[] }) {
  const most = Math.max(...days.map((day) => day.cost));
  const mostRequests = Math.max(...days.map((day) => day.requests), 1);
  const step = WIDTH / days.length;
  // Where everything was free, the number of answers is what there is to see.
  const share = (day: DayCost) => (most > 0 ? day.cost / most : day.requests / mostRequests);
  const peak = most > 0 ? `most on one day ${money(most)}` : `most on one day ${answers(mostRequests)}`;
  return (
    <figure className="my-3">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        className="h-20 w-full"
        preserveAspectRatio="none"
        role="img"
        aria-label={`Use by day, ${peak}`}
      >
        {days.map((day, index) => (
          <rect
            key={day.day}
            x={index * step + step * 0.1}
            width={step * 0.8}
            y={HEIGHT - Math.max(day.requests ? 2 : 0.5, share(day) * HEIGHT)}
            height={Math.max(day.requests ? 2 : 0.5, share(day) * HEIGHT)}
            className="fill-link"
          >
            <title>{`${day.day}: ${money(day.cost)}, ${answers(day.requests)}`}</title>
          </rect>
        ))}
      </svg>
      <figcaption className="flex justify-between text-xs text-muted">
        <span>{days[0]?.day}</span>
        <span>{peak}</span>
        <span>{days.at(-1)?.day}</span>
      </figcaption>
    </figure>
  );
}

function ModelTable({ rows }: { rows: UsageRow[] }) {
  const most = Math.max(...rows.map((row) => row.cost), 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: where the table scrolls sideways, a keyboard must reach it.
    <section aria-label="Usage by model" tabIndex={0} className="overflow-x-auto">
      <table className="w-full text-left tabular-nums">
        <thead className="text-xs text-muted">
          <tr>
            <th className="py-1 pr-3 font-normal">Model</th>
            <th className="py-1 pr-3 text-right font-normal">Answers</th>
            <th className="py-1 pr-3 text-right font-normal">Tokens</th>
            <th className="py-1 text-right font-normal">Cost</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.model} className="border-t border-line">
              <td className="max-w-60 py-1.5 pr-3">
                <span className="block truncate">{row.model}</span>
                <span
                  aria-hidden
                  className="block h-1 rounded bg-link"
                  style={{ width: `${most > 0 ? Math.max(1, (row.cost / most) * 100) : 0}%` }}
                />
              </td>
              <td className="py-1.5 pr-3 text-right">{count(row.requests)}</td>
              <td className="py-1.5 pr-3 text-right">{tokens(row.tokens)}</td>
              <td className="py-1.5 text-right">{money(row.cost)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
