import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { funds, moment } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { NativeSelect } from "@/shared/ui/input";
import { type Act, ActDialog, ActField } from "./act-dialog";
import { adminOrdersQuery, cancelOrder, chargeBack, eventsQuery, type Order, received } from "./admin-api";
import { ReturnsList } from "./returns-list";
import { Pages, Table } from "./table";

/** Orders, what went back, and what processors said that did not fit. */
export function PaymentsPart() {
  const [act, setAct] = useState<Act | null>(null);
  return (
    <div className="flex flex-col gap-6">
      <OrdersList onAct={setAct} />
      <ReturnsList onAct={setAct} />
      <RefusedList />
      {act && <ActDialog act={act} onClose={() => setAct(null)} />}
    </div>
  );
}

export interface Acting {
  onAct: (act: Act) => void;
}

function OrdersList({ onAct }: Acting) {
  const api = useApi();
  const [state, setState] = useState("");
  const query = useInfiniteQuery(adminOrdersQuery(api, state));
  const orders = query.data?.pages.flatMap((page) => page.orders) ?? [];
  return (
    <section aria-label="Orders" className="flex flex-col gap-2">
      <h2 className="text-base font-semibold">Orders</h2>
      <NativeSelect aria-label="State" className="w-fit" value={state} onChange={(event) => setState(event.target.value)}>
        {["", "pending", "paid", "cancelled", "failed"].map((name) => (
          <option key={name} value={name}>
            {name || "in any state"}
          </option>
        ))}
      </NativeSelect>
      <Pages query={query}>
        <Table
          name="Orders, newest first"
          columns={["When", "Whose", "Credit", "By", "State", "Reference", "Acts"]}
          rows={orders}
          keyOf={(order) => order.id}
          empty="No orders."
          cells={(order) => [
            moment(order.created_at),
            order.email ?? "deleted",
            funds(order.credit),
            order.method,
            order.disputed ? "disputed" : order.returned > 0 ? `${order.state}, ${funds(order.returned)} back` : order.state,
            <span key="reference" className="font-mono text-xs break-all">
              {order.external_id ?? order.reference}
            </span>,
            <OrderActs key="acts" order={order} onAct={onAct} />,
          ]}
        />
      </Pages>
    </section>
  );
}

function OrderActs({ order, onAct }: Acting & { order: Order }) {
  const api = useApi();
  const about = `${funds(order.credit)} of ${order.email ?? "a deleted account"}`;
  if (order.state === "pending" && order.method !== "stripe" && order.method !== "auto") {
    return (
      <span className="flex flex-wrap gap-1">
        {order.method === "transfer" && (
          <Button
            size="sm"
            aria-label={`${about} has arrived`}
            onClick={() =>
              onAct({
                title: `Has ${about} arrived?`,
                words: `The credit is given at once. The payer was told to write ${order.reference} on the transfer.`,
                button: "It has arrived",
                password: true,
                fields: (
                  <>
                    <ActField label={`Amount in ${order.currency}`} name="amount" defaultValue={String(order.amount)} />
                    <ActField label="The transfer, as the bank names it" name="reference" maxLength={200} />
                  </>
                ),
                run: ({ amount, reference = "", reason, password }) =>
                  received(api, order.id, { amount: Number(amount), currency: order.currency, reference, reason, password }),
              })
            }
          >
            Arrived
          </Button>
        )}
        <Button
          size="sm"
          aria-label={`Cancel ${about}`}
          onClick={() =>
            onAct({
              title: `Cancel the order for ${about}?`,
              button: "Cancel the order",
              danger: true,
              run: ({ reason }) => cancelOrder(api, order.id, reason),
            })
          }
        >
          Cancel
        </Button>
      </span>
    );
  }
  if (order.state !== "paid" || order.receipt === null || order.returned >= order.credit) return null;
  return (
    <Button
      size="sm"
      aria-label={`Chargeback of ${about}`}
      onClick={() =>
        onAct({
          title: `Did a bank take back ${about}?`,
          words:
            "What had not gone back before leaves the wallet; what is spent of it is owed, and calls are refused until it is paid.",
          button: "Take it back",
          danger: true,
          password: true,
          fields: (
            <>
              <ActField label={`Amount in ${order.currency}`} name="amount" defaultValue={String(order.amount)} />
              <ActField label="The bank's case" name="reference" maxLength={200} />
            </>
          ),
          run: ({ amount, reference = "", reason, password }) =>
            chargeBack(api, order.id, { amount: Number(amount), reference, reason, password }),
        })
      }
    >
      Chargeback
    </Button>
  );
}

function RefusedList() {
  const api = useApi();
  const query = useInfiniteQuery(eventsQuery(api));
  const rows = query.data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <section aria-label="Payments that did not fit" className="flex flex-col gap-2">
      <h2 className="text-base font-semibold">Payments that did not fit</h2>
      <Pages query={query}>
        <Table
          name="Refused notices, newest first"
          columns={["When", "By", "Payment", "Order", "Why nothing was credited"]}
          rows={rows}
          keyOf={(row) => row.id}
          empty="None."
          cells={(row) => [moment(row.at), row.method, row.external_id, row.order_id, row.why]}
        />
      </Pages>
    </section>
  );
}
