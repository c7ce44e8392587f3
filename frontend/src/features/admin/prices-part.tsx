import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { moment, perMillion } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { LoadFailed } from "@/shared/ui/load-failed";
import { Skeleton } from "@/shared/ui/skeleton";
import { type Act, ActDialog } from "./act-dialog";
import { decidePrice, type PriceReview, priceReviewsQuery } from "./admin-api";
import { Table } from "./table";

/** Changes of public price lists that nobody should take unseen. */
export function PricesPart() {
  const api = useApi();
  const [act, setAct] = useState<Act | null>(null);
  const query = useQuery(priceReviewsQuery(api));
  const deciding = (row: PriceReview, accept: boolean): Act => ({
    title: accept ? `Take the new price of ${row.offer}?` : `Keep the old price of ${row.offer}?`,
    button: accept ? "Take it" : "Keep the old one",
    danger: !accept,
    password: true,
    run: ({ reason, password }) => decidePrice(api, row.id, { accept, reason, password }),
  });
  if (query.isError) return <LoadFailed what="This" error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton className="h-40" />;
  return (
    <div className="flex flex-col gap-3">
      <p className="text-muted">
        Changes by more than a factor of three, to zero or from zero wait here. Until they are taken the old price stands.
      </p>
      <Table
        name="Price changes that wait"
        columns={["Seen", "Offer", "Why it waits", "In, per 1M tokens", "Out, per 1M tokens", "Source", "Acts"]}
        rows={query.data.reviews}
        keyOf={(row) => row.id}
        empty="No price change waits for you."
        cells={(row) => [
          moment(row.seen_at),
          row.offer,
          row.reason,
          `${priceOf(row.old, "input")} → ${priceOf(row.new, "input")}`,
          `${priceOf(row.old, "output")} → ${priceOf(row.new, "output")}`,
          row.source,
          <span key="acts" className="flex flex-wrap gap-1">
            <Button size="sm" aria-label={`Take the new price of ${row.offer}`} onClick={() => setAct(deciding(row, true))}>
              Take
            </Button>
            <Button size="sm" aria-label={`Keep the old price of ${row.offer}`} onClick={() => setAct(deciding(row, false))}>
              Keep
            </Button>
          </span>,
        ]}
      />
      {act && <ActDialog act={act} onClose={() => setAct(null)} />}
    </div>
  );
}

function priceOf(price: PriceReview["old"], side: "input" | "output"): string {
  const value = price?.[side];
  return value === undefined || value === null ? "none" : perMillion(Number(value));
}
