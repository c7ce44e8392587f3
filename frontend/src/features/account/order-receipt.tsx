import { useQuery } from "@tanstack/react-query";
import { profileQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import { day, funds } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import type { Order } from "./credit-api";

interface OrderReceiptProps {
  order: Order;
  /** Who it is from, as the operator set it. */
  issuer: string | null;
  onClose: () => void;
}

/** The receipt of a payment, to be printed. Its number has no gap before it. */
export function OrderReceipt({ order, issuer, onClose }: OrderReceiptProps) {
  const api = useApi();
  const { token } = useSession();
  const profile = useQuery(profileQuery(api, token)).data;
  const facts = [
    ["Receipt no.", String(order.receipt)],
    ["From", issuer ?? location.host],
    ["To", profile?.email ?? ""],
    ["Paid on", day(order.closed_at)],
    ["For", `${funds(order.credit)} of credit`],
    ["Amount", `${order.amount.toFixed(2)} ${order.currency}`],
    ...(order.returned > 0 ? [["Of it paid back", funds(order.returned)]] : []),
    ["Order", order.id],
  ];
  return (
    <Dialog open onOpenChange={onClose} title={`Receipt no. ${order.receipt}`}>
      <DialogBody className="flex flex-col gap-4">
        <dl className="print-sheet grid grid-cols-[auto_1fr] gap-x-6 gap-y-1">
          {facts.map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd className="m-0 break-words whitespace-pre-line">{value}</dd>
            </div>
          ))}
        </dl>
        <Button variant="primary" className="self-start" onClick={() => print()}>
          Print
        </Button>
      </DialogBody>
    </Dialog>
  );
}
