import { scaleLinear, scaleLog } from "d3-scale";
import { useRef } from "react";
import { useWidth } from "@/shared/lib/use-width";
import { ChartFrame } from "./chart-frame";

export interface ScatterPoint {
  name: string;
  /** Over 0: the axis is logarithmic. */
  x: number;
  y: number;
  /** Drawn hollow: it is not known of itself. */
  inherited: boolean;
  note: string;
}

interface ScatterProps {
  title: string;
  sentence: string;
  xName: string;
  yName: string;
  /** By x, least first: so the arrow keys go. */
  points: readonly ScatterPoint[];
  formatX: (value: number) => string;
  onPick?: (index: number) => void;
}

const HEIGHT = 340;
const MARGIN = { left: 40, right: 12, top: 26, bottom: 42 };
const NEAR_PX = 24;

/** Two figures of each of many things: cheaper is left, better is up; the line goes through those that nothing cheaper beats. */
export function Scatter({ title, sentence, xName, yName, points, formatX, onPick }: ScatterProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const x = scaleLog()
    .domain(points.length ? [Math.min(...xs), Math.max(...xs, Math.min(...xs) * 1.01)] : [1, 10])
    .range([MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)]);
  const y = scaleLinear()
    .domain(points.length ? [Math.min(...ys), Math.max(...ys)] : [0, 1])
    .nice(4)
    .range([HEIGHT - MARGIN.bottom, MARGIN.top]);
  const line = frontier(points).flatMap((index) => {
    const point = points[index];
    return point ? [`${x(point.x)},${y(point.y)}`] : [];
  });
  const nearest = (left: number, top: number): number | null => {
    let best: number | null = null;
    let least = NEAR_PX;
    points.forEach((point, index) => {
      const distance = Math.hypot(x(point.x) - left, y(point.y) - top);
      if (distance < least) [best, least] = [index, distance];
    });
    return best;
  };
  return (
    <div ref={box}>
      <ChartFrame
        title={title}
        sentence={sentence}
        columns={["Name", xName, yName, "Known"]}
        rows={points.map((point) => [point.name, formatX(point.x), String(point.y), point.note])}
        count={points.length}
        describe={(place) => {
          const point = points[place];
          return point ? `${point.name}: ${formatX(point.x)}, ${yName.toLowerCase()} ${point.y}, ${point.note}` : "";
        }}
        onPick={onPick}
      >
        {(cursor) => (
          <svg
            width={width}
            height={HEIGHT}
            aria-hidden
            onPointerMove={({ nativeEvent }) => cursor.set(nearest(nativeEvent.offsetX, nativeEvent.offsetY))}
          >
            {y.ticks(4).map((tick) => (
              <g key={tick}>
                <line x1={MARGIN.left} x2={width - MARGIN.right} y1={y(tick)} y2={y(tick)} className="chart-grid" />
                <text x={MARGIN.left - 6} y={y(tick) + 4} textAnchor="end" className="chart-axis">
                  {tick}
                </text>
              </g>
            ))}
            {decades(x.domain() as [number, number]).map((tick) => (
              <text key={tick} x={x(tick)} y={HEIGHT - 24} textAnchor="middle" className="chart-axis">
                {formatX(tick)}
              </text>
            ))}
            <text x={MARGIN.left - 6} y={12} className="chart-axis">
              {`↑ ${yName}`}
            </text>
            <text x={width - MARGIN.right} y={HEIGHT - 6} textAnchor="end" className="chart-axis">
              {`${xName}, each step ten times the one before →`}
            </text>
            <polyline points={line.join(" ")} className="chart-line chart-1" />
            {points.map((point, index) => (
              <circle
                key={point.name}
                cx={x(point.x)}
                cy={y(point.y)}
                r={cursor.at === index ? 7 : 4}
                className={point.inherited ? "chart-line chart-0" : "chart-ink chart-0"}
              />
            ))}
            {cursor.at !== null && points[cursor.at] && (
              <circle cx={x(points[cursor.at]?.x ?? 1)} cy={y(points[cursor.at]?.y ?? 0)} r="11" className="chart-cursor" />
            )}
          </svg>
        )}
      </ChartFrame>
    </div>
  );
}

/** The places (of points by x, least first) that no point of a smaller or the same x reaches in y. */
export function frontier(points: readonly Pick<ScatterPoint, "x" | "y">[]): number[] {
  let best = Number.NEGATIVE_INFINITY;
  return points.flatMap(({ y }, index) => {
    if (y <= best) return [];
    best = y;
    return [index];
  });
}

/** Powers of ten within the axis. */
function decades([low, high]: [number, number]): number[] {
  const first = Math.ceil(Math.log10(low));
  const last = Math.floor(Math.log10(high));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, place) => 10 ** (first + place));
}
