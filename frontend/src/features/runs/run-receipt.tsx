import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi, useSession } from "@/shared/api/services";
import { money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { receiptQuery } from "./runs-api";

/** Who was paid how much for what, and whether it is what the ledger says. */
export function RunReceiptTable({ id, final }: { id: string; final: boolean }) {
  const api = useApi();
  const { token } = useSession();
  const [open, setOpen] = useState(false);
  const { data, error } = useQuery({ ...receiptQuery(api, token, id), enabled: open && token !== null });
  if (!open) {
    return (
      <Button className="self-start" onClick={() => setOpen(true)}>
        Receipt
      </Button>
    );
  }
  if (error) return <p role="alert">{error.message}</p>;
  if (!data) return <p>Loading…</p>;
  const steps = data.runs.flatMap((run) => run.steps.map((step) => ({ ...step, key: `${run.run_id} ${step.step}` })));
  const fees = data.runs.reduce((sum, run) => sum + Number(run.fee), 0);
  return (
    <section aria-label="Receipt">
      <table className="w-full text-sm">
        <caption className="pb-1 text-left font-medium">Receipt{final ? "" : " so far"}</caption>
        <thead>
          <tr className="text-left text-muted">
            <th scope="col">Step</th>
            <th scope="col">Paid to</th>
            <th scope="col" className="text-right">
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {steps.map((step) => (
            <tr key={step.key} className="border-t border-line">
              <td className="py-1 pr-2 break-all">{step.name}</td>
              <td className="py-1 pr-2 text-muted">{step.payee || "nobody"}</td>
              <td className="py-1 text-right tabular-nums">{money(step.cost)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          {fees > 0 && (
            <tr className="border-t border-line">
              <td colSpan={2}>Author's fee</td>
              <td className="text-right tabular-nums">{money(fees)}</td>
            </tr>
          )}
          <tr className="border-t border-line font-medium">
            <td colSpan={2}>{data.agrees ? "Together, as the ledger says" : "Together (the ledger says something else)"}</td>
            <td className="text-right tabular-nums">{money(data.spent)}</td>
          </tr>
        </tfoot>
      </table>
    </section>
  );
}
