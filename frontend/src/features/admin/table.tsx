import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "@/shared/ui/button";
import { LoadFailed } from "@/shared/ui/load-failed";
import { Skeleton } from "@/shared/ui/skeleton";

interface TableProps<Row> {
  name: string;
  columns: readonly string[];
  rows: readonly Row[];
  cells: (row: Row) => readonly ReactNode[];
  keyOf: (row: Row) => string | number;
  empty: string;
}

/** A plain table that scrolls by itself where it is wider than the page. */
export function Table<Row>({ name, columns, rows, cells, keyOf, empty }: TableProps<Row>) {
  if (rows.length === 0) return <p className="text-muted">{empty}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: where the table scrolls sideways, a keyboard must reach it.
    <section aria-label={name} tabIndex={0} className="overflow-x-auto">
      <table className="w-full text-left tabular-nums">
        <thead className="text-xs text-muted">
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" className="py-1 pr-4 font-normal whitespace-nowrap">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} className="border-t border-line align-top">
              {cells(row).map((cell, place) => (
                <td key={columns[place]} className="py-1.5 pr-4">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

type Paging = Pick<UseInfiniteQueryResult, "isLoading" | "isError" | "error" | "refetch"> &
  Partial<Pick<UseInfiniteQueryResult, "hasNextPage" | "isFetchingNextPage" | "fetchNextPage">>;

/** A part of a page under its heading. */
export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="flex flex-col gap-2">
      <h2 className="text-base font-semibold">{title}</h2>
      {children}
    </section>
  );
}

/** A list's states around its table: loading, failed, more. */
export function Pages({ query, children }: { query: Paging; children: ReactNode }) {
  if (query.isLoading) return <Skeleton className="h-40" />;
  if (query.isError) {
    return <LoadFailed what="This" error={query.error} onRetry={() => void query.refetch()} />;
  }
  return (
    <>
      {children}
      {query.hasNextPage && (
        <Button className="mt-2 self-start" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage?.()}>
          More
        </Button>
      )}
    </>
  );
}
