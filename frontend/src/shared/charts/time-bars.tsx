import { scaleBand } from "d3-scale";
import { stack } from "d3-shape";
import { useId, useMemo, useRef } from "react";
import { useWidth } from "@/shared/lib/use-width";
import { Axes } from "./axes";
import { ChartFrame } from "./chart-frame";
import { Legend, lookOf, Patterns, patternUrl } from "./patterns";
import { HEIGHT, MARGIN, type Series, spoken, type TimeChartProps, totals, valueScale } from "./scales";

/** Sums over time, stacked by series: the largest six look different, the rest should come as one. */
export function TimeBars({ title, sentence, labels, series, format, onPick }: TimeChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const id = useId();
  const drawn = useMemo(() => draw(series, labels.length, width), [series, labels.length, width]);
  return (
    <div ref={box}>
      <ChartFrame
        title={title}
        sentence={sentence}
        columns={["Time", ...series.map((one) => one.name)]}
        rows={labels.map((label, place) => [label, ...series.map((one) => cell(one.values[place], format))])}
        count={labels.length}
        describe={(place) => spoken(labels[place] ?? "", series, place, format, true)}
        onPick={onPick}
        legend={
          <>
            <svg width="0" height="0" aria-hidden className="absolute">
              <Patterns id={`${id}l`} count={series.length} />
            </svg>
            <Legend id={`${id}l`} names={series.map((one) => one.name)} />
          </>
        }
      >
        {(cursor) => (
          <svg
            width={width}
            height={HEIGHT}
            aria-hidden
            onPointerMove={(event) => cursor.set(placeAt(event.nativeEvent.offsetX, labels.length, width))}
          >
            <Patterns id={id} count={series.length} />
            <Axes width={width} y={drawn.y} labels={labels} format={format} x={(place) => drawn.x(place) + drawn.step / 2} />
            {drawn.paths.map((path, index) => (
              <path key={series[index]?.name} d={path} fill={patternUrl(id, index)} className={`chart-${lookOf(index)}`} />
            ))}
            {cursor.at !== null && (
              <rect
                x={drawn.x(cursor.at)}
                y={MARGIN.top}
                width={Math.max(2, drawn.step)}
                height={HEIGHT - MARGIN.bottom - MARGIN.top}
                className="chart-cursor"
              />
            )}
          </svg>
        )}
      </ChartFrame>
    </div>
  );
}

export const cell = (value: number | null | undefined, format: (value: number) => string): string =>
  value === null || value === undefined ? "–" : format(value);

function placeAt(x: number, count: number, width: number): number | null {
  const place = Math.floor(((x - MARGIN.left) / (width - MARGIN.left - MARGIN.right)) * count);
  return place >= 0 && place < count ? place : null;
}

/** One path a series: a year of days is six elements, not two thousand. */
function draw(series: readonly Series[], places: number, width: number) {
  const y = valueScale(Math.max(0, ...totals(series, places)));
  const band = scaleBand<number>()
    .domain(Array.from({ length: places }, (_, place) => place))
    .range([MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)])
    .paddingInner(0.15);
  const layers = stack<number, number>()
    .keys(series.map((_, index) => index))
    .value((place, key) => series[key]?.values[place] ?? 0)(band.domain());
  const wide = Math.max(1, band.bandwidth()).toFixed(2);
  const paths = layers.map((layer) =>
    layer
      .map(([low, high], place) => {
        if (high <= low) return "";
        const top = Math.min(y(high), y(low) - 1);
        return `M${(band(place) ?? 0).toFixed(2)} ${top.toFixed(2)}h${wide}V${y(low).toFixed(2)}h-${wide}z`;
      })
      .join(""),
  );
  return { y, paths, step: band.bandwidth(), x: (place: number) => band(place) ?? 0 };
}
