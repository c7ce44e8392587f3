/** Dollars for people: enough digits to be honest about small costs, never in exponents. */
export function money(dollars: number | string | null | undefined): string {
  if (dollars === null || dollars === undefined || dollars === "") return "–";
  const value = Number(dollars);
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size === 0) return "$0.00";
  if (size < 0.000001) return `${sign}<$0.000001`;
  const digits = size >= 0.1 ? 2 : size >= 0.01 ? 3 : size >= 0.001 ? 4 : 6;
  return `${sign}$${size.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: digits })}`;
}

/** What there is to spend, rounded down: never more than there is. */
export function funds(dollars: number | string | null | undefined): string {
  const value = Number(dollars ?? Number.NaN);
  // The detour over text: 4.35 * 100 is 434.99999999999994.
  return value >= 0.1 ? money(Math.floor(Number((value * 100).toFixed(6))) / 100) : money(dollars);
}

/** Dollars per million tokens; `free` for nothing, a dash for unknown. */
export function perMillion(price: string | number | null | undefined): string {
  if (price === null || price === undefined || price === "") return "–";
  const value = Number(price);
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "free";
  return money(value);
}

const units = ["", "K", "M", "B"];

/** 4096 -> 4K, 128000 -> 128K, 131072 -> 128K, 1048576 -> 1M: powers of two are counted as their makers do. */
export function tokens(count: number | null | undefined): string {
  if (count === null || count === undefined) return "–";
  const base = count % 1000 !== 0 && count % 1024 === 0 ? 1024 : 1000;
  let value = count;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${Number(value.toFixed(value >= 10 ? 0 : 1))}${units[unit]}`;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `12 Mar 2026`; a month stays a month. */
export function day(iso: string | null | undefined): string {
  if (!iso) return "–";
  const monthOnly = /^\d{4}-\d{2}$/.test(iso);
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return date.toLocaleDateString("en-GB", {
    day: monthOnly ? undefined : "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
}

/** `30 Nov 2026, 14:05`, where the reader is. */
export function moment(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return date.toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** `1 line`, `2,000 lines`. */
export const counted = (number: number, one: string, many = `${one}s`): string =>
  `${count(number)} ${number === 1 ? one : many}`;

/** `1 answer`, `2 answers`. */
export const answers = (number: number): string => (number === 1 ? "1 answer" : `${count(number)} answers`);
