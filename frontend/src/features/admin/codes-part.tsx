import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "@/shared/api/services";
import { day, funds } from "@/shared/lib/format";
import { saveFile } from "@/shared/lib/save-file";
import { Button } from "@/shared/ui/button";
import { Notice } from "@/shared/ui/notice";
import { type Act, ActDialog, ActField } from "./act-dialog";
import { type Batch, batchesQuery, makeCodes, revokeCodes } from "./admin-api";
import { Table } from "./table";

type Made = Awaited<ReturnType<typeof makeCodes>>;

/** Batches of redeem codes. A batch's codes are shown once, here, to be printed or saved. */
export function CodesPart() {
  const api = useApi();
  const batches = useQuery(batchesQuery(api)).data?.batches ?? [];
  const [made, setMade] = useState<Made | null>(null);
  const [act, setAct] = useState<Act | null>(null);
  return (
    <div className="flex flex-col gap-6">
      {made ? <Sheet made={made} onDone={() => setMade(null)} /> : <MakeForm onMade={setMade} />}
      <Table
        name="Batches, newest first"
        columns={["Name", "Each", "Kind", "Redeemed", "Can be redeemed until", "State", "Acts"]}
        rows={batches}
        keyOf={(batch) => batch.id}
        empty="No codes were made yet."
        cells={(batch) => [
          batch.name,
          funds(batch.amount),
          batch.sold ? "sold" : "gift",
          `${batch.redeemed} of ${batch.codes}`,
          batch.expires_at ? day(batch.expires_at) : "for ever",
          batch.revoked_at ? "revoked" : "good",
          !batch.revoked_at && (
            <Button key="revoke" size="sm" aria-label={`Revoke ${batch.name}`} onClick={() => setAct(revoking(api, batch))}>
              Revoke
            </Button>
          ),
        ]}
      />
      {act && <ActDialog act={act} onClose={() => setAct(null)} />}
    </div>
  );
}

const revoking = (api: Parameters<typeof revokeCodes>[0], batch: Batch): Act => ({
  title: `Revoke what is left of ${batch.name}?`,
  words: "What was redeemed stays.",
  button: "Revoke",
  danger: true,
  run: ({ reason }) => revokeCodes(api, batch.id, reason),
});

function MakeForm({ onMade }: { onMade: (made: Made) => void }) {
  const api = useApi();
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: (fields: FormData) =>
      makeCodes(api, {
        name: String(fields.get("name")),
        count: Number(fields.get("count")),
        amount: Number(fields.get("amount")),
        sold: fields.get("sold") === "on",
        per_account: Number(fields.get("per_account")),
        one_buyer: fields.get("one_buyer") === "on",
        days: Number(fields.get("days")) || null,
        credit_days: Number(fields.get("credit_days")) || null,
        reason: String(fields.get("reason")),
        password: String(fields.get("password")),
      }),
    onSuccess: (made) => {
      onMade(made);
      void client.invalidateQueries({ queryKey: ["admin", "codes"] });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    make.mutate(new FormData(event.currentTarget));
  };
  return (
    <form
      aria-label="Make codes"
      className="flex flex-col gap-3 rounded-lg border border-line bg-surface p-4"
      onSubmit={submit}
    >
      <h2 className="text-base font-semibold">Make codes</h2>
      <div className="grid gap-3 sm:grid-cols-3">
        <ActField label="Name" name="name" maxLength={120} />
        <ActField label="How many" name="count" type="number" min={1} max={1000} defaultValue={10} />
        <ActField label="Credit of each, dollars" name="amount" inputMode="decimal" pattern="\d+(\.\d{1,2})?" />
        <ActField
          label="An account may redeem"
          name="per_account"
          type="number"
          min={0}
          defaultValue={1}
          hint="0: any number"
        />
        <ActField
          label="Can be redeemed for, days"
          name="days"
          type="number"
          min={1}
          required={false}
          hint="Empty: for ever"
        />
        <ActField
          label="Credit is good for, days"
          name="credit_days"
          type="number"
          min={1}
          required={false}
          hint="Empty: for ever"
        />
        <ActField label="Reason" name="reason" maxLength={500} hint="It stands in the audit log." />
        <ActField label="Your password" name="password" type="password" autoComplete="current-password" />
      </div>
      <label className="flex items-center gap-2">
        <input type="checkbox" name="sold" defaultChecked className="size-4 accent-accent" />
        They are sold: their credit is paid for
      </label>
      <label className="flex items-center gap-2">
        <input type="checkbox" name="one_buyer" className="size-4 accent-accent" />
        One customer bought all of them: agents earn nothing between the accounts that redeem them
      </label>
      {make.error && (
        <p role="alert" className="text-danger">
          {make.error.message}
        </p>
      )}
      <Button type="submit" variant="primary" className="self-start" busy={make.isPending}>
        Make codes
      </Button>
    </form>
  );
}

function Sheet({ made, onDone }: { made: Made; onDone: () => void }) {
  const save = () => {
    const rows = made.codes.map((code) => `${code},${made.batch.amount}`).join("\r\n");
    saveFile(new Blob([`code,dollars\r\n${rows}\r\n`], { type: "text/csv" }), `codes-${made.batch.id}.csv`);
  };
  return (
    <section aria-label="New codes" className="flex flex-col gap-3">
      <Notice
        tone="warning"
        title={`${made.codes.length} codes of ${funds(made.batch.amount)} each: they are shown only now`}
        actions={
          <>
            <Button variant="primary" onClick={save}>
              Save as CSV
            </Button>
            <Button onClick={() => print()}>Print</Button>
            <Button onClick={onDone}>I have them</Button>
          </>
        }
      >
        Only a hash of each is kept.
      </Notice>
      <ul className="print-sheet grid grid-cols-1 gap-2 sm:grid-cols-2 lg:grid-cols-3">
        {made.codes.map((code) => (
          <li key={code} className="rounded border border-line p-3">
            <span className="block font-mono text-base">{code}</span>
            <span className="text-muted">
              {funds(made.batch.amount)} · {made.batch.name}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
