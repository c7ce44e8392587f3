import { scaleLinear } from "d3-scale";
import { useId } from "react";
import { ChartFrame } from "./chart-frame";
import { Patterns, patternUrl } from "./patterns";

export interface RankedItem {
  name: string;
  value: number;
  /** What else is known of it: further columns of the table, by their names. */
  more?: Record<string, string>;
}

interface RankedProps {
  title: string;
  sentence: string;
  items: readonly RankedItem[];
  format: (value: number) => string;
  onPick?: (index: number) => void;
}

const ROW = 40;

/** Groups by size, largest first. Enter or a click goes into one. */
export function Ranked({ title, sentence, items, format, onPick }: RankedProps) {
  const id = useId();
  const x = scaleLinear()
    .domain([0, Math.max(...items.map((item) => item.value), 0) || 1])
    .range([0, 100]);
  const columns = Object.keys(items[0]?.more ?? {});
  return (
    <ChartFrame
      title={title}
      sentence={sentence}
      columns={["Name", "Value", ...columns]}
      rows={items.map((item) => [item.name, format(item.value), ...columns.map((name) => item.more?.[name] ?? "–")])}
      count={items.length}
      across={1}
      describe={(place) => {
        const item = items[place];
        if (!item) return "";
        const more = columns.map((name) => `${name} ${item.more?.[name]}`).join(", ");
        return `${place + 1}. ${item.name}: ${format(item.value)}${more && `, ${more}`}`;
      }}
      onPick={onPick}
    >
      {(cursor) => (
        <svg width="100%" height={items.length * ROW} aria-hidden>
          <Patterns id={id} count={1} />
          {items.map((item, place) => (
            <g key={item.name} onPointerMove={() => cursor.set(place)}>
              <rect
                x="0.5"
                y={place * ROW + 1}
                width="99.5%"
                height={ROW - 4}
                fill="transparent"
                className={cursor.at === place ? "chart-cursor" : undefined}
              />
              <text x="4" y={place * ROW + 17} className="fill-fg text-xs">
                {item.name.length > 48 ? `${item.name.slice(0, 47)}…` : item.name}
              </text>
              <text x="99%" y={place * ROW + 17} textAnchor="end" className="fill-fg text-xs">
                {format(item.value)}
              </text>
              <rect
                x="4"
                y={place * ROW + 24}
                width={`${Math.max(0.5, x(item.value) * 0.98)}%`}
                height="8"
                rx="2"
                fill={patternUrl(id, 0)}
              />
            </g>
          ))}
        </svg>
      )}
    </ChartFrame>
  );
}
