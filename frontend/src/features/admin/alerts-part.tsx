import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { moment } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Field, NativeSelect } from "@/shared/ui/input";
import { Notice } from "@/shared/ui/notice";
import { Skeleton } from "@/shared/ui/skeleton";
import { type Act, ActDialog, ActField } from "./act-dialog";
import { type AlertRule, type AlertTarget, addTarget, alertsQuery, removeTarget, setRule, testTarget } from "./alerts-api";
import { Table } from "./table";

/** How a rule's limit is typed in: its name, and how many of the rule's units one is. */
const units: Record<AlertRule["unit"], [words: string, size: number]> = {
  nano: ["dollars", 1_000_000_000],
  "per mille": ["per cent", 10],
  days: ["days", 1],
  count: ["answers", 1],
};

/** Rules over what the server measures, and where they are told. */
export function AlertsPart() {
  const api = useApi();
  const [act, setAct] = useState<Act | null>(null);
  const query = useQuery(alertsQuery(api));
  if (query.isError)
    return (
      <Notice tone="error" title="This could not be loaded">
        {query.error.message}
      </Notice>
    );
  if (!query.data) return <Skeleton className="h-40" />;
  const { rules, targets } = query.data;
  return (
    <div className="flex flex-col gap-4">
      <p className="text-muted">
        Looked at every minute. A rule is told after two looks over its limit, and again when it is well below it. All of it
        stands in the server's log, too.
      </p>
      <Table
        name="Rules"
        columns={["Rule", "Now", "Limit", "State", "Acts"]}
        rows={rules}
        keyOf={(rule) => rule.name}
        empty="There are no rules."
        cells={(rule) => [
          rule.words,
          `${rule.shown ?? "not looked at yet"}${rule.details ? ` (${rule.details})` : ""}`,
          rule.shown_limit,
          rule.on ? (rule.state === "raised" ? `RAISED since ${moment(rule.since)}` : "quiet") : "off",
          <Button
            key="acts"
            size="sm"
            aria-label={`Change the rule ${rule.name}`}
            onClick={() => setAct(changing(rule, (body) => setRule(api, rule.name, body)))}
          >
            Change
          </Button>,
        ]}
      />
      <Targets targets={targets} onAct={setAct} />
      {act && <ActDialog act={act} onClose={() => setAct(null)} />}
    </div>
  );
}

function changing(rule: AlertRule, save: (body: { on: boolean; limit: number; reason: string }) => Promise<unknown>): Act {
  const [unit, size] = units[rule.unit];
  return {
    title: "Change this rule",
    words: `${rule.words}.`,
    button: "Save",
    fields: (
      <>
        <ActField
          label="Told above"
          hint={`In ${unit}.`}
          name="limit"
          inputMode="decimal"
          pattern="\d+(\.\d{1,2})?"
          defaultValue={String(rule.limit / size)}
        />
        <label className="flex items-center gap-2">
          <input type="checkbox" name="on" defaultChecked={rule.on} className="size-4 accent-accent" />
          Switched on
        </label>
      </>
    ),
    run: ({ limit = "0", on, reason }) => save({ on: on === "on", limit: Math.round(Number(limit) * size), reason }),
  };
}

function Targets({ targets, onAct }: { targets: readonly AlertTarget[]; onAct: (act: Act) => void }) {
  const api = useApi();
  const client = useQueryClient();
  const test = useMutation({
    mutationFn: (target: AlertTarget) => testTarget(api, target.id),
    onSettled: () => client.invalidateQueries({ queryKey: ["admin", "alerts"] }),
  });
  const adding: Act = {
    title: "Tell alerts here, too",
    button: "Add it",
    password: true,
    fields: (
      <>
        <Field label="Kind">
          {(control) => (
            <NativeSelect {...control} name="kind">
              <option value="webhook">Webhook</option>
              <option value="mail">Mail</option>
            </NativeSelect>
          )}
        </Field>
        <ActField label="Address" hint="https://… of a webhook, or a mail address" name="address" maxLength={2000} />
      </>
    ),
    run: ({ kind, address = "", reason, password }) =>
      addTarget(api, { kind: kind === "mail" ? "mail" : "webhook", address, reason, password }),
  };
  const removing = (target: AlertTarget): Act => ({
    title: `Tell nothing to ${target.to} any more?`,
    button: "Remove",
    danger: true,
    run: ({ reason }) => removeTarget(api, target.id, reason),
  });
  return (
    <div className="flex flex-col gap-2">
      <Table
        name="Told to"
        columns={["Told to", "Kind", "State", "Acts"]}
        rows={targets}
        keyOf={(target) => target.id}
        empty="Alerts are told in the server's log only."
        cells={(target) => [
          target.to,
          target.kind,
          `${target.disabled_at ? `off since ${moment(target.disabled_at)}` : "on"}${target.words ? `: ${target.words}` : ""}`,
          <span key="acts" className="flex flex-wrap gap-1">
            <Button size="sm" aria-label={`Test ${target.to}`} busy={test.isPending} onClick={() => test.mutate(target)}>
              Test
            </Button>
            <Button size="sm" aria-label={`Remove ${target.to}`} onClick={() => onAct(removing(target))}>
              Remove
            </Button>
          </span>,
        ]}
      />
      <p role="status" className={test.error ? "text-danger" : "text-muted"}>
        {test.error?.message ?? (test.isSuccess ? "It was told." : "")}
      </p>
      <Button className="self-start" onClick={() => onAct(adding)}>
        Add a target
      </Button>
    </div>
  );
}
