import { Table2 } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useId, useState } from "react";
import { cn } from "@/shared/lib/cn";
import { Button } from "@/shared/ui/button";
import { moved } from "./scales";
import "./charts.css";

interface Cursor {
  at: number | null;
  set: (at: number | null) => void;
}

interface ChartFrameProps {
  title: string;
  sentence: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  count: number;
  describe: (at: number) => string;
  across?: number;
  compact?: boolean;
  onPick?: (at: number) => void;
  children: (cursor: Cursor) => ReactNode;
  legend?: ReactNode;
}

/** What every chart has: words for it, a cursor for arrow keys that is read out, and a switch to the same numbers as a table. */
export function ChartFrame({ title, sentence, columns, rows, children, legend, compact, ...cursor }: ChartFrameProps) {
  const [asTable, setAsTable] = useState(false);
  const id = useId();
  return (
    <figure className="chart-figure m-0 min-w-0" aria-labelledby={`${id}-title`} aria-describedby={`${id}-words`}>
      <div className="mb-1 flex items-start gap-2">
        <figcaption className="min-w-0 flex-1">
          <span id={`${id}-title`} className={compact ? "sr-only" : "font-medium"}>
            {title}
          </span>
          <span id={`${id}-words`} className={compact ? "sr-only" : "block text-muted"}>
            {sentence}
          </span>
        </figcaption>
        {rows.length > 0 && (
          <Button
            size="sm"
            variant="ghost"
            aria-pressed={asTable}
            aria-label={`${title} as a table`}
            onClick={() => setAsTable(!asTable)}
          >
            <Table2 aria-hidden />
            {!compact && "Table"}
          </Button>
        )}
      </div>
      {asTable ? (
        <FigureTable title={title} columns={columns} rows={rows} />
      ) : (
        <Picture title={title} compact={compact} {...cursor}>
          {children}
        </Picture>
      )}
      {!asTable && legend}
    </figure>
  );
}

type PictureProps = Pick<ChartFrameProps, "title" | "count" | "describe" | "across" | "onPick" | "children" | "compact">;

/** A slider is what moves through places with arrow keys and says where it is: screen readers know what to do with it. */
function Picture({ title, count, describe, across, onPick, children, compact }: PictureProps) {
  const [at, setAt] = useState<number | null>(null);
  const place = at === null ? null : Math.min(at, count - 1);
  if (count === 0) return <p className="py-6 text-center text-muted">Nothing in this time.</p>;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && onPick && place !== null) return onPick(place);
    const next = moved(event.key, place ?? (event.key === "ArrowRight" ? -1 : count), count, across);
    if (next === null) return;
    event.preventDefault();
    setAt(next);
  };
  return (
    <>
      <div
        role="slider"
        tabIndex={0}
        aria-label={`${title}: cursor`}
        aria-valuemin={1}
        aria-valuemax={count}
        aria-valuenow={(place ?? count - 1) + 1}
        aria-valuetext={describe(place ?? count - 1)}
        onKeyDown={onKeyDown}
        onBlur={() => setAt(null)}
        onPointerLeave={() => setAt(null)}
        onClick={() => onPick && place !== null && onPick(place)}
        className={cn("w-full", onPick && "cursor-pointer")}
      >
        {children({ at: place, set: setAt })}
      </div>
      {!compact && (
        <p aria-hidden className="min-h-5 truncate text-xs text-muted tabular-nums">
          {place === null ? "" : describe(place)}
        </p>
      )}
    </>
  );
}

function FigureTable({ title, columns, rows }: Pick<ChartFrameProps, "title" | "columns" | "rows">) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: where the table scrolls, a keyboard must reach it.
    <section aria-label={`${title}, table`} tabIndex={0} className="max-h-72 overflow-auto">
      <table className="w-full text-left tabular-nums">
        <thead className="text-xs text-muted">
          <tr>
            {columns.map((column, index) => (
              <th key={column} scope="col" className={cn("py-1 pr-3 font-normal", index > 0 && "text-right")}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row[0]} className="border-t border-line">
              {row.map((cell, index) =>
                index === 0 ? (
                  <th key={columns[index]} scope="row" className="py-1 pr-3 font-normal">
                    {cell}
                  </th>
                ) : (
                  <td key={columns[index]} className="py-1 pr-3 text-right">
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
