import { useQuery } from "@tanstack/react-query";
import { useApi } from "@/shared/api/services";
import { moment, money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { ActField } from "./act-dialog";
import { type Author, authorsQuery, recordPayout } from "./admin-agents-api";
import type { Acting } from "./agents-part";
import { Pages, Section, Table } from "./table";

/** What authors earned and were paid. A transfer is made elsewhere; here it is written down. */
export function AgentsMoney({ onAct }: Acting) {
  const api = useApi();
  const query = useQuery(authorsQuery(api));
  const ask = (row: Author) =>
    onAct({
      title: `Record a payout to ${row.handle}`,
      words: `${money(row.payable)} is payable. Make the transfer first; the same reference again changes nothing.`,
      button: "It is paid out",
      password: true,
      fields: (
        <>
          <ActField
            label="Dollars"
            name="amount"
            inputMode="decimal"
            pattern="\d+(\.\d{1,9})?"
            defaultValue={String(row.payable)}
          />
          <ActField label="The payment, as the bank names it" name="reference" maxLength={120} />
        </>
      ),
      run: ({ amount = "", reference = "", reason, password }) =>
        recordPayout(api, row.user_id, { amount, reference, reason, password }),
    });
  return (
    <Section title="Authors' earnings">
      <Pages query={query}>
        <Table
          name="Authors"
          columns={["Author", "Address", "Waiting 14 days", "Payable", "Paid out", "Acts"]}
          rows={query.data?.authors ?? []}
          keyOf={(row) => row.user_id}
          empty="Nobody publishes agents yet."
          cells={(row) => [
            row.handle,
            row.email ?? "deleted",
            money(row.pending),
            money(row.payable),
            money(row.paid_out),
            row.payable > 0 && (
              <Button key="pay" size="sm" aria-label={`Paid out… to ${row.handle}`} onClick={() => ask(row)}>
                Paid out…
              </Button>
            ),
          ]}
        />
        <Table
          name="Payouts, newest first"
          columns={["When", "Author", "Amount", "Payment"]}
          rows={query.data?.payouts ?? []}
          keyOf={(row) => row.reference}
          empty="Nothing was paid out."
          cells={(row) => [moment(row.at), row.email ?? row.author, money(row.amount), row.reference]}
        />
      </Pages>
    </Section>
  );
}
