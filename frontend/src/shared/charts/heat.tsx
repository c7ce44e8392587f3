import { scaleSqrt } from "d3-scale";
import { useRef } from "react";
import { useWidth } from "@/shared/lib/use-width";
import { ChartFrame } from "./chart-frame";
import { shownLabels } from "./scales";

interface HeatProps {
  title: string;
  sentence: string;
  /** Down the side, and along the top. */
  rows: readonly string[];
  columns: readonly string[];
  /** values[row][column]. */
  values: readonly (readonly number[])[];
  format: (value: number) => string;
}

const LEFT = 40;
const TOP = 16;
const CELL = 20;

/** When something happens: a square for each place, larger and darker the more it is. Arrow keys go in all four directions. */
export function Heat({ title, sentence, rows, columns, values, format }: HeatProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const across = columns.length;
  const step = Math.max(4, (width - LEFT) / across);
  const size = scaleSqrt()
    .domain([0, Math.max(...values.flat(), 0) || 1])
    .range([0, 1]);
  const at = (place: number) => values[Math.floor(place / across)]?.[place % across] ?? 0;
  const name = (place: number) => `${rows[Math.floor(place / across)]} ${columns[place % across]}`;
  return (
    <div ref={box}>
      <ChartFrame
        title={title}
        sentence={sentence}
        columns={["", ...columns]}
        rows={rows.map((row, index) => [row, ...columns.map((_, column) => format(values[index]?.[column] ?? 0))])}
        count={rows.length * across}
        across={across}
        describe={(place) => `${name(place)}: ${format(at(place))}`}
      >
        {(cursor) => (
          <svg width={width} height={TOP + rows.length * CELL} aria-hidden className="chart-0">
            {shownLabels(across, width - LEFT, 28).map((column) => (
              <text key={column} x={LEFT + column * step} y="11" className="chart-axis">
                {columns[column]}
              </text>
            ))}
            {rows.map((row, index) => (
              <text key={row} x="0" y={TOP + index * CELL + 14} className="chart-axis">
                {row}
              </text>
            ))}
            {Array.from({ length: rows.length * across }, (_, place) => {
              const share = size(at(place));
              const left = LEFT + (place % across) * step;
              const top = TOP + Math.floor(place / across) * CELL;
              const side = (Math.min(step, CELL) - 3) * Math.max(share, share > 0 ? 0.25 : 0);
              return (
                // biome-ignore lint/suspicious/noArrayIndexKey: a place of the grid is its own name.
                <g key={place} onPointerMove={() => cursor.set(place)}>
                  <rect
                    x={left}
                    y={top}
                    width={step - 1}
                    height={CELL - 1}
                    fill="transparent"
                    className={cursor.at === place ? "chart-cursor" : "chart-grid"}
                  />
                  <rect
                    x={left + (step - 1 - side) / 2}
                    y={top + (CELL - 1 - side) / 2}
                    width={side}
                    height={side}
                    fillOpacity={0.4 + share * 0.6}
                    className="chart-ink"
                  />
                </g>
              );
            })}
          </svg>
        )}
      </ChartFrame>
    </div>
  );
}
