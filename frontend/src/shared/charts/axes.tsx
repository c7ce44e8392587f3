import type { ScaleLinear } from "d3-scale";
import { HEIGHT, MARGIN, shownLabels } from "./scales";

interface AxesProps {
  width: number;
  y: ScaleLinear<number, number>;
  labels: readonly string[];
  x: (place: number) => number;
  format: (value: number) => string;
}

/** Faint lines with their values, and as many places of time as there is room for. */
export function Axes({ width, y, labels, x, format }: AxesProps) {
  return (
    <g>
      {y.ticks(4).map((tick) => (
        <g key={tick}>
          <line x1={MARGIN.left} x2={width - MARGIN.right} y1={y(tick)} y2={y(tick)} className="chart-grid" />
          <text x={MARGIN.left - 6} y={y(tick)} dy="0.32em" textAnchor="end" className="chart-axis">
            {format(tick)}
          </text>
        </g>
      ))}
      {shownLabels(labels.length, width - MARGIN.left - MARGIN.right).map((place) => (
        <text key={place} x={x(place)} y={HEIGHT - 5} textAnchor={place === 0 ? "start" : "middle"} className="chart-axis">
          {labels[place]}
        </text>
      ))}
    </g>
  );
}
