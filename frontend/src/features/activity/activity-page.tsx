import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useApi, useSession, withHost } from "@/shared/api/services";
import { count } from "@/shared/lib/format";
import { saveFile } from "@/shared/lib/save-file";
import { Button } from "@/shared/ui/button";
import { LoadFailed } from "@/shared/ui/load-failed";
import { SignedOut } from "@/shared/ui/signed-out";
import { Skeleton } from "@/shared/ui/skeleton";
import { FilterBar } from "@/shared/usage/filter-bar";
import { type Filters, hrefWith } from "@/shared/usage/filters";
import { activityQuery, exportActivity, newestQuery } from "@/shared/usage/usage-api";
import { CallsTable } from "./calls-table";
import { InFlightList } from "./in-flight-list";

const ReceiptDialog = lazy(() =>
  import("@/shared/receipt/receipt-dialog").then((module) => ({ default: module.ReceiptDialog })),
);

export interface ActivityPageProps {
  filters: Filters;
  onFilters: (filters: Filters) => void;
  /** The call whose receipt is open. */
  receipt: string | null;
  onReceipt: (requestId: string | null) => void;
}

/** Every call of one's own. The list stands still while it is read: what is new is counted, and comes when it is asked for. */
function Activity({ filters, onFilters, receipt, onReceipt }: ActivityPageProps) {
  const api = useApi();
  const { token } = useSession();
  const client = useQueryClient();
  const query = useInfiniteQuery(activityQuery(api, token, filters));
  const newest = useQuery(newestQuery(api, token, filters)).data;
  const calls = query.data?.pages.flatMap((page) => page.calls) ?? [];
  const shown = new Set(calls.map((call) => call.request_id));
  const fresh = query.isSuccess && newest ? newest.calls.filter((call) => !shown.has(call.request_id)).length : 0;
  if (!token) {
    return <SignedOut>Here you will find every call of yours, with what it cost and why it failed.</SignedOut>;
  }
  const showNew = () => client.resetQueries({ queryKey: activityQuery(api, token, filters).queryKey });
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex w-full max-w-6xl flex-col gap-4 p-4 sm:p-6">
        <div className="flex flex-wrap items-baseline gap-4">
          <h1 className="text-xl font-semibold">Activity</h1>
          <a href={hrefWith("/usage", filters)} className="text-link underline">
            Usage of the same calls
          </a>
          <a href="/account" className="text-link underline">
            Account
          </a>
        </div>
        <FilterBar filters={filters} onChange={onFilters}>
          <Exports filters={filters} />
        </FilterBar>
        <InFlightList calls={newest?.in_flight ?? []} />
        <div aria-live="polite">
          {fresh > 0 && (
            <Button variant="primary" size="sm" onClick={() => void showNew()}>
              Show {fresh >= 50 ? "50 or more" : count(fresh)} new
            </Button>
          )}
        </div>
        {query.isLoading && <Skeleton className="h-60" />}
        {query.isError && <LoadFailed what="Your calls" error={query.error} onRetry={() => void query.refetch()} />}
        {query.isSuccess && calls.length === 0 && <p className="text-muted">{nothing(filters)}</p>}
        {calls.length > 0 && <CallsTable calls={calls} filters={filters} onFilters={onFilters} onReceipt={onReceipt} />}
        {query.hasNextPage && (
          <Button className="self-start" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Older calls
          </Button>
        )}
      </div>
      {receipt && (
        <Suspense>
          <ReceiptDialog requestId={receipt} onClose={() => onReceipt(null)} />
        </Suspense>
      )}
    </div>
  );
}

function nothing({ values }: Filters): string {
  const chosen = Object.values(values).some((each) => each.length > 0);
  return chosen
    ? "No calls in this time with these filters."
    : "No calls in this time. Every answer in a chat, a comparison or a program of yours is listed here, with its cost.";
}

function Exports({ filters }: { filters: Filters }) {
  const api = useApi();
  const [running, setRunning] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const save = async (format: "csv" | "jsonl") => {
    setRunning(true);
    setFailed(null);
    try {
      saveFile(await exportActivity(api, filters, format), `activity.${format}`);
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
    }
    setRunning(false);
  };
  return (
    <>
      {(["csv", "jsonl"] as const).map((format) => (
        <Button
          key={format}
          busy={running}
          aria-label={`Export as ${format.toUpperCase()}`}
          onClick={() => void save(format)}
        >
          <Download aria-hidden /> {format.toUpperCase()}
        </Button>
      ))}
      {failed && (
        <p role="alert" className="text-danger">
          {failed}
        </p>
      )}
    </>
  );
}

export const ActivityPage = withHost<ActivityPageProps>(Activity);
