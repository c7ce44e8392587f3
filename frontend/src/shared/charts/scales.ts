import { scaleLinear } from "d3-scale";

/** One row of figures over time: `null` = nothing was measured, which is not 0. */
export interface Series {
  name: string;
  values: readonly (number | null)[];
}

export interface TimeChartProps {
  title: string;
  /** What the picture says, in words. */
  sentence: string;
  /** What stands under each place of the axis, oldest first. */
  labels: readonly string[];
  series: readonly Series[];
  format: (value: number) => string;
  /** Goes into one place of the axis. */
  onPick?: (index: number) => void;
}

export const MARGIN = { left: 56, right: 8, top: 8, bottom: 20 };
export const HEIGHT = 200;

/** The value axis: from 0 to a round number that is at least the largest value. */
export function valueScale(most: number, height = HEIGHT) {
  return scaleLinear()
    .domain([0, most > 0 ? most : 1])
    .nice(4)
    .range([height - MARGIN.bottom, MARGIN.top]);
}

/** Which labels fit under an axis of so many pixels: every nth, the first among them. */
export function shownLabels(count: number, width: number, labelWidth = 64): number[] {
  const every = Math.max(1, Math.ceil((count * labelWidth) / Math.max(width, 1)));
  return Array.from({ length: Math.ceil(count / every) }, (_, index) => index * every);
}

/** Sums of all series at each place; a place where nothing was measured is 0. */
export function totals(series: readonly Series[], places: number): number[] {
  return Array.from({ length: places }, (_, place) => series.reduce((sum, one) => sum + (one.values[place] ?? 0), 0));
}

/** `Mon: $1.20; gpt-5 $1.00, claude $0.20`, as it is read out at the cursor. */
export function spoken(
  label: string,
  series: readonly Series[],
  place: number,
  format: (value: number) => string,
  stacked: boolean,
): string {
  const measured = series.filter((one) => one.values[place] !== null && one.values[place] !== undefined);
  if (measured.length === 0) return `${label}: nothing measured`;
  const parts = measured
    .filter((one) => measured.length === 1 || one.values[place] !== 0)
    .map((one) =>
      series.length === 1 ? format(one.values[place] as number) : `${one.name} ${format(one.values[place] as number)}`,
    );
  const sum = measured.reduce((total, one) => total + (one.values[place] ?? 0), 0);
  if (series.length === 1) return `${label}: ${parts.join("")}`;
  const list = parts.slice(0, 8).join(", ");
  return stacked ? `${label}: ${format(sum)}${list && `; ${list}`}` : `${label}: ${list || "nothing"}`;
}

/** Where a key takes the cursor, or null for keys that are none of ours. `across`: places in a row of a grid. */
export function moved(key: string, at: number, count: number, across = 0): number | null {
  const page = across || Math.max(1, Math.round(count / 10));
  const steps: Record<string, number> = {
    ArrowRight: at + 1,
    ArrowLeft: at - 1,
    ArrowDown: across ? at + across : at - 1,
    ArrowUp: across ? at - across : at + 1,
    PageUp: at + page,
    PageDown: at - page,
    Home: 0,
    End: count - 1,
  };
  const next = steps[key];
  return next === undefined ? null : Math.min(count - 1, Math.max(0, next));
}
