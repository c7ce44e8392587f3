import { useInfiniteQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { useApi, useSession } from "@/shared/api/services";
import { funds, moment, money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Skeleton } from "@/shared/ui/skeleton";
import { type StatementEntry, statementQuery } from "./account-api";
import { Section } from "./section";

const ReceiptDialog = lazy(() =>
  import("@/shared/receipt/receipt-dialog").then((module) => ({ default: module.ReceiptDialog })),
);

/** Every movement of the wallet, newest first, each with its receipt. */
export function StatementSection() {
  const api = useApi();
  const { token } = useSession();
  const query = useInfiniteQuery(statementQuery(api, token));
  const [receipt, setReceipt] = useState<string | null>(null);
  const entries = query.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <Section title="Statement">
      {query.isLoading && <Skeleton className="h-32" />}
      {query.isError && <p role="alert">{query.error.message}</p>}
      {query.isSuccess && entries.length === 0 && <p className="text-muted">No movements yet.</p>}
      {entries.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: where the table scrolls sideways, a keyboard must reach it.
        <section aria-label="Movements" tabIndex={0} data-tour="statement" className="overflow-x-auto">
          <table className="w-full text-left tabular-nums">
            <thead className="text-xs text-muted">
              <tr>
                <th className="py-1 pr-3 font-normal">When</th>
                <th className="py-1 pr-3 font-normal">What</th>
                <th className="py-1 pr-3 text-right font-normal">Amount</th>
                <th className="py-1 text-right font-normal">Balance after</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <Row key={entry.id} entry={entry} onReceipt={setReceipt} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {query.hasNextPage && (
        <Button className="mt-3" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Older movements
        </Button>
      )}
      {receipt && (
        <Suspense>
          <ReceiptDialog requestId={receipt} onClose={() => setReceipt(null)} />
        </Suspense>
      )}
    </Section>
  );
}

const kinds: Record<string, string> = { signup: "sign-up credit", topup: "top-up", reversal: "top-up taken back" };

function Row({ entry, onReceipt }: { entry: StatementEntry; onReceipt: (requestId: string) => void }) {
  const { request_id: requestId } = entry;
  const what = entry.memo || kinds[entry.kind] || entry.kind.replaceAll("_", " ");
  const into = !entry.amount.startsWith("-");
  return (
    <tr className="border-t border-line">
      <td className="py-1.5 pr-3 whitespace-nowrap">
        <time dateTime={entry.at}>{moment(entry.at)}</time>
      </td>
      <td className="py-1.5 pr-3">
        {requestId ? (
          <Button
            variant="link"
            size="sm"
            className="h-auto"
            aria-label={`Receipt: ${what}`}
            onClick={() => onReceipt(requestId)}
          >
            {what}
          </Button>
        ) : (
          what
        )}
      </td>
      <td className={`py-1.5 pr-3 text-right ${into ? "text-success" : ""}`}>
        {into ? "+" : ""}
        {money(entry.amount)}
      </td>
      <td className="py-1.5 text-right">{funds(entry.balance_after)}</td>
    </tr>
  );
}
