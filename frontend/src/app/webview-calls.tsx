import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi, useSession } from "@/shared/api/services";
import { moment, money } from "@/shared/lib/format";
import { ReceiptDialog } from "@/shared/receipt/receipt-dialog";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { Skeleton } from "@/shared/ui/skeleton";
import { filtersFromSearch } from "@/shared/usage/filters";
import { newestQuery } from "@/shared/usage/usage-api";

/** The newest calls of the account, whoever made them; a click is the receipt. */
export function LastCalls({ onClose }: { onClose: () => void }) {
  const { token } = useSession();
  const query = useQuery(newestQuery(useApi(), token, filtersFromSearch({})));
  const [shown, setShown] = useState<string | null>(null);
  return (
    <Dialog open onOpenChange={onClose} title="Receipts" variant="drawer">
      <DialogBody>
        {query.isPending && <Skeleton className="h-40" />}
        {query.error && <p role="alert">{query.error.message}</p>}
        {query.data?.calls.length === 0 && <p className="text-muted">Nothing was asked yet.</p>}
        <ul className="flex flex-col">
          {query.data?.calls.map((call) => (
            <li key={call.request_id}>
              <button
                type="button"
                className="flex w-full items-baseline gap-2 border-b border-line py-1.5 text-left hover:bg-hover"
                onClick={() => setShown(call.request_id)}
              >
                <span className="min-w-0 flex-1 truncate">{call.model}</span>
                <span className="text-xs text-muted">{moment(call.at)}</span>
                <span className="tabular-nums">{money(call.cost)}</span>
              </button>
            </li>
          ))}
        </ul>
      </DialogBody>
      {shown && <ReceiptDialog requestId={shown} onClose={() => setShown(null)} />}
    </Dialog>
  );
}
