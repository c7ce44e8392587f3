import { scaleLinear } from "d3-scale";
import { area, line } from "d3-shape";
import { ChartFrame } from "./chart-frame";

interface SparkProps {
  title: string;
  sentence: string;
  labels: readonly string[];
  values: readonly number[];
  format: (value: number) => string;
}

const WIDTH = 120;
const HEIGHT = 28;

/** How something went, in the room of a line of text. */
export function Spark({ title, sentence, labels, values, format }: SparkProps) {
  const x = scaleLinear()
    .domain([0, Math.max(1, values.length - 1)])
    .range([1, WIDTH - 1]);
  const y = scaleLinear()
    .domain([0, Math.max(...values, 0) || 1])
    .range([HEIGHT - 2, 2]);
  const above = line<number>()
    .x((_, place) => x(place))
    .y(y);
  const under = area<number>()
    .x((_, place) => x(place))
    .y0(HEIGHT)
    .y1(y);
  return (
    <ChartFrame
      compact
      title={title}
      sentence={sentence}
      columns={["Time", "Value"]}
      rows={labels.map((label, place) => [label, format(values[place] ?? 0)])}
      count={values.length}
      describe={(place) => `${labels[place]}: ${format(values[place] ?? 0)}`}
    >
      {(cursor) => (
        <svg width={WIDTH} height={HEIGHT} aria-hidden className="chart-0">
          <path d={under([...values]) ?? ""} className="chart-ink" fillOpacity="0.25" />
          <path d={above([...values]) ?? ""} className="chart-line" />
          {cursor.at !== null && <line x1={x(cursor.at)} x2={x(cursor.at)} y1="0" y2={HEIGHT} className="chart-cursor" />}
        </svg>
      )}
    </ChartFrame>
  );
}
