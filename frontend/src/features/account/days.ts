import type { UsageRow } from "./account-api";

export interface DayCost {
  /** `2026-11-22`. */
  day: string;
  cost: number;
  requests: number;
}

/** One entry for each of the last `days` days up to `today` (UTC), with zeroes where nothing was used. */
export function everyDay(rows: readonly UsageRow[], days: number, today: Date): DayCost[] {
  const used = new Map(rows.map((row) => [row.day?.slice(0, 10), row]));
  return Array.from({ length: days }, (_, index) => {
    const date = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() - (days - 1 - index)));
    const day = date.toISOString().slice(0, 10);
    const row = used.get(day);
    return { day, cost: row?.cost ?? 0, requests: row?.requests ?? 0 };
  });
}
