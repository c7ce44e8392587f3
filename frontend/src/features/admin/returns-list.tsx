import { useInfiniteQuery } from "@tanstack/react-query";
import { useApi } from "@/shared/api/services";
import { funds, moment } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { ActField } from "./act-dialog";
import { closeRefund, type Returned, reinstate, returnsQuery } from "./admin-api";
import type { Acting } from "./payments-part";
import { Pages, Table } from "./table";

/** What went back to payers, or was taken back by a bank. */
export function ReturnsList({ onAct }: Acting) {
  const api = useApi();
  const query = useInfiniteQuery(returnsQuery(api));
  const rows = query.data?.pages.flatMap((page) => page.returns) ?? [];
  const won = new Set(rows.filter(({ kind }) => kind === "reinstated").map(({ external_id }) => external_id));
  return (
    <section aria-label="Money back" className="flex flex-col gap-2">
      <h2 className="text-base font-semibold">Money back</h2>
      <Pages query={query}>
        <Table
          name="Refunds and chargebacks, newest first"
          columns={["When", "Whose", "Amount", "What", "State", "Acts"]}
          rows={rows}
          keyOf={(row) => row.id}
          empty="Nothing went back."
          cells={(row) => [
            moment(row.created_at),
            row.email ?? "deleted",
            funds(row.amount),
            row.kind,
            row.state,
            row.state === "asked" ? (
              <RefundActs key="acts" row={row} onAct={onAct} />
            ) : (
              row.kind === "chargeback" && !won.has(row.external_id) && <WonAct key="won" row={row} onAct={onAct} />
            ),
          ]}
        />
      </Pages>
    </section>
  );
}

function RefundActs({ row, onAct }: Acting & { row: Returned }) {
  const api = useApi();
  const about = `${funds(row.amount)} to ${row.email ?? "a deleted account"}`;
  return (
    <span className="flex flex-wrap gap-1">
      <Button
        size="sm"
        aria-label={`${about} is paid back`}
        onClick={() =>
          onAct({
            title: `Have you paid ${about} back?`,
            words: "It has left the wallet already.",
            button: "It is paid back",
            password: true,
            fields: <ActField label="The payment, as the bank names it" name="reference" maxLength={200} />,
            run: ({ reference = null, reason, password }) =>
              closeRefund(api, row.id, { sent: true, reference, reason, password }),
          })
        }
      >
        Paid back
      </Button>
      <Button
        size="sm"
        aria-label={`${about} can't be paid back`}
        onClick={() =>
          onAct({
            title: `Can ${about} not be paid back?`,
            words: "It goes into the wallet again.",
            button: "Put it back",
            danger: true,
            password: true,
            run: ({ reason, password }) => closeRefund(api, row.id, { sent: false, reference: null, reason, password }),
          })
        }
      >
        Can't
      </Button>
    </span>
  );
}

function WonAct({ row, onAct }: Acting & { row: Returned }) {
  const api = useApi();
  const about = `${funds(row.amount)} of ${row.email ?? "a deleted account"}`;
  return (
    <Button
      size="sm"
      aria-label={`Reinstate ${about}`}
      onClick={() =>
        onAct({
          title: `Did the bank give ${about} back?`,
          words: "The credit goes into the wallet again, and what was frozen can be spent.",
          button: "Reinstate it",
          password: true,
          fields: <ActField label="The bank's case" name="reference" maxLength={200} defaultValue={row.external_id ?? ""} />,
          run: ({ reference = "", reason, password }) => reinstate(api, row.order_id, { reference, reason, password }),
        })
      }
    >
      Reinstate
    </Button>
  );
}
