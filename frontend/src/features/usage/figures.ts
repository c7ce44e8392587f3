import type { RankedItem } from "@/shared/charts/ranked";
import type { Series } from "@/shared/charts/scales";
import { answers, count, money, tokens } from "@/shared/lib/format";
import { lasted } from "@/shared/usage/durations";
import type { Granularity, UsageGroup } from "@/shared/usage/usage-api";

/** What can be looked at: the server's metric, how it is read, and whether parts add up to a whole. */
export interface Measure {
  name: string;
  metric: string;
  sums: boolean;
  read: (row: UsageGroup) => number | null;
  format: (value: number) => string;
}

const percent = (share: number) => `${(share * 100).toLocaleString("en-US", { maximumFractionDigits: 1 })} %`;
const or = (value: number | null | undefined) => value ?? null;

export const measures = {
  spend: { name: "Spend", metric: "spend", sums: true, read: (row) => row.spend ?? 0, format: money },
  requests: { name: "Calls", metric: "requests", sums: true, read: (row) => row.requests ?? 0, format: count },
  tokens: { name: "Tokens", metric: "tokens", sums: true, read: (row) => row.tokens ?? 0, format: tokens },
  errors: { name: "Errors", metric: "errors", sums: true, read: (row) => row.errors ?? 0, format: count },
  error_share: {
    name: "Error share",
    metric: "error_share",
    sums: false,
    read: (row) => or(row.error_share),
    format: percent,
  },
  cache_share: {
    name: "Cached input",
    metric: "cache_share",
    sums: false,
    read: (row) => or(row.cache_share),
    format: percent,
  },
  latency: { name: "Time to the end", metric: "latency", sums: false, read: (row) => or(row.latency?.p50), format: lasted },
  first_token: {
    name: "First word",
    metric: "first_token",
    sums: false,
    read: (row) => or(row.first_token?.p50),
    format: lasted,
  },
} satisfies Record<string, Measure>;

export type MeasureName = keyof typeof measures;

/** Hours for a few days, then days, then weeks: about what a screen can show. */
export const granularityFor = (days: number): Granularity => (days <= 3 ? "hour" : days <= 120 ? "day" : "week");

/** Every period between the first and last moment asked for, as the server labels them, in the reader's own zone. */
export function everyPeriod(since: string, until: string, granularity: Granularity, zone: string): string[] {
  const hour = 3_600_000;
  const found: string[] = [];
  const step = granularity === "hour" ? hour : 6 * hour;
  for (let at = Date.parse(since); at < Date.parse(until); at += step) {
    const label = granularity === "hour" ? hourOf(at, zone) : periodOf(dateIn(at, zone), granularity);
    if (found.at(-1) !== label) found.push(label);
  }
  return found;
}

/** The local date of a moment: `2026-11-30`. */
function dateIn(at: number, zone: string): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
}

/** `2026-11-30T14:00:00+01:00`: the hour with its offset, so that the hour that comes twice is two. */
function hourOf(at: number, zone: string): string {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hour: "2-digit",
    hourCycle: "h23",
    timeZoneName: "longOffset",
  }).formatToParts(at);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  return `${dateIn(at, zone)}T${part("hour")}:00:00${part("timeZoneName").replace("GMT", "") || "+00:00"}`;
}

function periodOf(date: string, granularity: Granularity): string {
  if (granularity === "day") return date;
  if (granularity === "month") return `${date.slice(0, 8)}01`;
  const day = new Date(`${date}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, 10);
}

/** `30 Nov`, `14:00`. */
export function shortLabel(period: string): string {
  if (period.length > 10) return period.slice(11, 16);
  return new Date(`${period}T00:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
}

/** One series a group, the largest first; beyond five the rest is one where parts add up, and left out where they do not. */
export function seriesOf(
  rows: readonly UsageGroup[],
  periods: readonly string[],
  measure: Measure,
  nameOf: (row: UsageGroup) => string,
): Series[] {
  const places = new Map(periods.map((period, place) => [period, place]));
  const groups = new Map<string, { weight: number; values: (number | null)[] }>();
  for (const row of rows) {
    const place = places.get(row.time ?? "");
    const value = measure.read(row);
    if (place === undefined || value === null) continue;
    const name = nameOf(row);
    const group = groups.get(name) ?? { weight: 0, values: periods.map(() => (measure.sums ? 0 : null)) };
    group.values[place] = (group.values[place] ?? 0) + value;
    group.weight += measure.sums ? value : (row.requests ?? 0);
    groups.set(name, group);
  }
  const ordered = [...groups].sort(([, one], [, other]) => other.weight - one.weight);
  const shown = ordered.length > 6 ? ordered.slice(0, 5) : ordered;
  const rest = ordered.slice(shown.length);
  const series: Series[] = shown.map(([name, group]) => ({ name, values: group.values }));
  if (rest.length > 0 && measure.sums) {
    const values = periods.map((_, place) => rest.reduce((sum, [, group]) => sum + (group.values[place] ?? 0), 0));
    series.push({ name: `${rest.length} others`, values });
  }
  return series;
}

/** The groups as bars, with what else is known of each in the table. */
export function rankedOf(rows: readonly UsageGroup[], measure: Measure, nameOf: (row: UsageGroup) => string): RankedItem[] {
  return rows
    .map((row) => ({
      name: nameOf(row),
      value: measure.read(row) ?? 0,
      more: { Calls: count(row.requests ?? 0), Spend: money(row.spend), Tokens: tokens(row.tokens) },
    }))
    .sort((one, other) => other.value - one.value);
}

/** Calls by weekday (Monday first) and local hour. */
export function weekOf(rows: readonly UsageGroup[]): number[][] {
  const week = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0));
  for (const row of rows) {
    const at = row.time ?? "";
    const weekday = (new Date(`${at.slice(0, 10)}T00:00:00Z`).getUTCDay() + 6) % 7;
    const day = week[weekday];
    const hour = Number(at.slice(11, 13));
    if (day) day[hour] = (day[hour] ?? 0) + (row.requests ?? 0);
  }
  return week;
}

/** The sentence under a chart over time. */
export function timeSentence(
  measure: Measure,
  total: number | null,
  series: readonly Series[],
  periods: readonly string[],
): string {
  if (total === null || series.length === 0) return "Nothing was measured in this time.";
  if (!measure.sums) return `${measure.format(total)} over the whole time${series.length > 1 ? "" : ", by period"}.`;
  const sums = periods.map((_, place) => series.reduce((sum, one) => sum + (one.values[place] ?? 0), 0));
  const most = Math.max(...sums);
  const where = periods[sums.indexOf(most)];
  const largest = series[0];
  const share = largest && total > 0 ? largest.values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / total : 0;
  const first = series.length > 1 && largest && share > 0 ? `, ${percent(share)} of it ${largest.name}` : "";
  return `${measure.format(total)}${first}; most on ${where ? shortLabel(where) : "–"}: ${measure.format(most)}.`;
}

export const rankedSentence = (items: readonly RankedItem[], measure: Measure, requests: number): string =>
  items[0]
    ? `${answers(requests)}; ${items[0].name} is first with ${measure.format(items[0].value)}.`
    : "Nothing was used in this time.";
