import { scalePoint } from "d3-scale";
import { line } from "d3-shape";
import { useMemo, useRef } from "react";
import { useWidth } from "@/shared/lib/use-width";
import { Axes } from "./axes";
import { ChartFrame } from "./chart-frame";
import { lookOf } from "./patterns";
import { HEIGHT, MARGIN, type Series, spoken, type TimeChartProps, valueScale } from "./scales";
import { cell } from "./time-bars";

const dashes = [undefined, "6 3", "2 3", "10 3 2 3", "1 4", "12 4"];

/** Values over time that do not add up (times, shares), each series with a dash of its own; a gap where nothing was measured. */
export function TimeLines({ title, sentence, labels, series, format, onPick }: TimeChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const { x, y, paths } = useMemo(() => draw(series, labels.length, width), [series, labels.length, width]);
  return (
    <div ref={box}>
      <ChartFrame
        title={title}
        sentence={sentence}
        columns={["Time", ...series.map((one) => one.name)]}
        rows={labels.map((label, place) => [label, ...series.map((one) => cell(one.values[place], format))])}
        count={labels.length}
        describe={(place) => spoken(labels[place] ?? "", series, place, format, false)}
        onPick={onPick}
        legend={
          <ul className="mt-1 flex flex-wrap gap-x-4 text-xs">
            {series.map((one, index) => (
              <li key={one.name} className="flex items-center gap-1.5">
                <svg width="24" height="8" aria-hidden className={`chart-${lookOf(index)}`}>
                  <path d="M0 4H24" className="chart-line" strokeDasharray={dashes[lookOf(index)]} />
                </svg>
                {one.name}
              </li>
            ))}
          </ul>
        }
      >
        {(cursor) => (
          <svg
            width={width}
            height={HEIGHT}
            aria-hidden
            onPointerMove={(event) => cursor.set(nearest(event.nativeEvent.offsetX, labels.length, width))}
          >
            <Axes width={width} y={y} labels={labels} x={x} format={format} />
            {paths.map((path, index) => (
              <g key={series[index]?.name} className={`chart-${lookOf(index)}`}>
                <path d={path} className="chart-line" strokeDasharray={dashes[lookOf(index)]} />
                {series[index]?.values.map((value, place) =>
                  value !== null && lonely(series[index]?.values ?? [], place) ? (
                    // biome-ignore lint/suspicious/noArrayIndexKey: a place of the axis is its own name.
                    <circle key={place} cx={x(place)} cy={y(value)} r="2.5" className="chart-ink" />
                  ) : null,
                )}
              </g>
            ))}
            {cursor.at !== null && (
              <line
                x1={x(cursor.at)}
                x2={x(cursor.at)}
                y1={MARGIN.top}
                y2={HEIGHT - MARGIN.bottom}
                className="chart-cursor"
              />
            )}
          </svg>
        )}
      </ChartFrame>
    </div>
  );
}

/** A value between two gaps is on no line: it gets a dot. */
const lonely = (values: readonly (number | null)[], place: number) =>
  (values[place - 1] ?? null) === null && (values[place + 1] ?? null) === null;

function nearest(x: number, count: number, width: number): number {
  const share = (x - MARGIN.left) / Math.max(1, width - MARGIN.left - MARGIN.right);
  return Math.min(count - 1, Math.max(0, Math.round(share * (count - 1))));
}

function draw(series: readonly Series[], places: number, width: number) {
  const y = valueScale(Math.max(0, ...series.flatMap((one) => one.values.map((value) => value ?? 0))));
  const points = scalePoint<number>()
    .domain(Array.from({ length: places }, (_, place) => place))
    .range([MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)]);
  const x = (place: number) => points(place) ?? 0;
  const path = line<number | null>()
    .defined((value) => value !== null)
    .x((_, place) => x(place))
    .y((value) => y(value ?? 0));
  return { x, y, paths: series.map((one) => path([...one.values]) ?? "") };
}
