import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { funds, moment } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { askRefund, cancelOrder, type Order, refundableQuery } from "./credit-api";
import { OrderReceipt } from "./order-receipt";

interface OrdersProps {
  orders: readonly Order[];
  /** The operator's instructions. */
  transfer: string | null;
  issuer: string | null;
  onChanged: () => void;
}

/** One's own payments, with what can be done about each. */
export function Orders({ orders, transfer, issuer, onChanged }: OrdersProps) {
  const [receipt, setReceipt] = useState<Order | null>(null);
  return (
    <section aria-label="Payments">
      <h3 className="mb-1 text-sm font-semibold">Payments</h3>
      <ul className="flex flex-col">
        {orders.map((order) => (
          <li key={order.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line py-2">
            <span className="w-20 font-semibold tabular-nums">{funds(order.credit)}</span>
            <span className="min-w-0 flex-1">
              {stateWords(order)} <span className="text-muted">{moment(order.created_at)}</span>
            </span>
            {order.receipt !== null && (
              <Button size="sm" onClick={() => setReceipt(order)}>
                Receipt
              </Button>
            )}
            <Acts order={order} onChanged={onChanged} />
            {order.state === "pending" && order.method === "transfer" && (
              <p className="w-full text-muted">
                <span className="whitespace-pre-line">{transfer}</span> Write this on it:{" "}
                <strong className="font-mono text-fg">{order.reference}</strong>. The credit is here once an administrator
                has seen it arrive.
              </p>
            )}
          </li>
        ))}
      </ul>
      {receipt && <OrderReceipt order={receipt} issuer={issuer} onClose={() => setReceipt(null)} />}
    </section>
  );
}

function stateWords(order: Order): string {
  if (order.disputed) return "disputed by your bank: what is left of it is frozen";
  if (order.returned > 0) return `paid, ${funds(order.returned)} of it went back`;
  if (order.state === "paid") return order.receipt ? `paid, receipt no. ${order.receipt}` : "by a code";
  return order.state === "pending" ? "waits to be paid" : order.state;
}

function Acts({ order, onChanged }: { order: Order; onChanged: () => void }) {
  const api = useApi();
  const cancel = useMutation({ mutationFn: () => cancelOrder(api, order.id), onSuccess: onChanged });
  const [asking, setAsking] = useState(false);
  if (order.state === "pending") {
    return (
      <>
        {order.pay_url && (
          <a href={order.pay_url} className="text-link underline">
            Pay
          </a>
        )}
        {order.method !== "stripe" && order.method !== "auto" && (
          <Button size="sm" busy={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel
          </Button>
        )}
        {cancel.error && <span role="alert">{cancel.error.message}</span>}
      </>
    );
  }
  if (order.state !== "paid" || !order.receipt || order.returned >= order.credit) return null;
  if (asking) return <Refund order={order} onChanged={onChanged} />;
  return (
    <Button size="sm" onClick={() => setAsking(true)}>
      Money back…
    </Button>
  );
}

function Refund({ order, onChanged }: { order: Order; onChanged: () => void }) {
  const api = useApi();
  const unused = useQuery(refundableQuery(api, order.id)).data?.refundable;
  const ask = useMutation({ mutationFn: () => askRefund(api, order.id), onSuccess: onChanged });
  if (unused === undefined || unused === null) return <span className="text-muted">…</span>;
  if (unused === 0) return <span className="text-muted">Nothing of it can be paid back: it is used, or too long ago.</span>;
  return (
    <span className="flex items-center gap-2">
      <Button size="sm" variant="danger" busy={ask.isPending} onClick={() => ask.mutate()}>
        Pay {funds(unused)} back
      </Button>
      {ask.error && <span role="alert">{ask.error.message}</span>}
    </span>
  );
}
