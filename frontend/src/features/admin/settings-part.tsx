import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { Badge } from "@/shared/ui/badge";
import { Button } from "@/shared/ui/button";
import { Field, Input, NativeSelect, Textarea } from "@/shared/ui/input";
import { type Act, ActDialog } from "./act-dialog";
import { chooseSetting, type Setting, settingsQuery } from "./operating-api";
import { Pages, Section, Table } from "./table";

interface Words {
  title: string;
  hint: string;
  choices?: readonly string[];
  /** Prose: how long it may be. */
  long?: number;
}

const words: Record<string, Words> = {
  banner: { title: "Banner", hint: "Shown to everybody above every page; empty: none. At most 300 characters.", long: 300 },
  MARKETPLACE_SIGNUP: {
    title: "Who may sign up",
    hint: "open: everybody; invite: who has a code; closed: nobody.",
    choices: ["open", "invite", "closed"],
  },
  MARKETPLACE_SIGNUP_CREDIT: { title: "Sign-up credit", hint: "Dollars for a new account." },
  MARKETPLACE_SIGNUP_CREDIT_DAILY: {
    title: "Sign-up credit a day",
    hint: "Dollars for all new accounts of a day together.",
  },
  MARKETPLACE_SIGNUP_CREDITS_PER_ADDRESS: {
    title: "Sign-up credits from one network address",
    hint: "A day; 0: any number.",
  },
  MARKETPLACE_LIMITS: { title: "Limits of requests", hint: "on, unless somebody else limits them.", choices: ["on", "off"] },
  MARKETPLACE_CALLS_PER_USER: { title: "Calls of one user at once", hint: "In each process; 0: any number." },
  MARKETPLACE_TRANSFER: {
    title: "Bank transfers",
    hint: "Where to transfer money to, as payers read it; empty: transfers are not offered.",
    long: 2000,
  },
  MARKETPLACE_ISSUER: { title: "Receipts are from", hint: "Name and address.", long: 500 },
  MARKETPLACE_TOPUP_LEAST: { title: "Least order", hint: "Dollars." },
  MARKETPLACE_TOPUP_MOST: { title: "Largest order", hint: "Dollars." },
  MARKETPLACE_REFUND_DAYS: {
    title: "Days to ask for money back",
    hint: "For the unused part of a payment; 0: never.",
  },
  MARKETPLACE_RECHARGE: {
    title: "Automatic recharge",
    hint: "off: no saved card is charged, whatever its owner agreed to.",
    choices: ["on", "off"],
  },
  MARKETPLACE_MARKUP: { title: "Mark-up", hint: "Users pay list prices times this: 1.2 is 20 % on top." },
};

/** What can be changed while the server runs, and what only its environment says. */
export function SettingsPart() {
  const api = useApi();
  const [act, setAct] = useState<Act | null>(null);
  const query = useQuery(settingsQuery(api));
  const ask = (setting: Setting) => {
    const { title, hint } = words[setting.name] ?? { title: setting.name, hint: "" };
    setAct({
      title,
      words: `${hint} It counts in every process within a second.`,
      button: "Change it",
      password: setting.money,
      fields: <Value setting={setting} />,
      run: ({ value = "", reason, password }) => chooseSetting(api, setting.name, { value, reason, password }),
    });
  };
  const back = (setting: Setting) =>
    setAct({
      title: `${words[setting.name]?.title ?? setting.name}: back to ${setting.default || "none"}?`,
      button: "Back to it",
      password: setting.money,
      run: ({ reason, password }) => chooseSetting(api, setting.name, { value: null, reason, password }),
    });
  return (
    <div className="flex flex-col gap-6">
      <Pages query={query}>
        <Table
          name="Settings"
          columns={["Setting", "Now", "From", "Acts"]}
          rows={query.data?.settings ?? []}
          keyOf={(row) => row.name}
          empty="Nothing can be chosen."
          cells={(row) => [
            <span key="title">
              {words[row.name]?.title ?? row.name}
              <span className="block text-xs text-muted">{words[row.name]?.hint}</span>
            </span>,
            row.value || "none",
            row.source === "environment" ? <Badge key="from">{row.name} in the environment</Badge> : row.source,
            row.source !== "environment" && (
              <span key="acts" className="flex flex-wrap gap-1">
                <Button size="sm" aria-label={`Change… ${words[row.name]?.title ?? row.name}`} onClick={() => ask(row)}>
                  Change…
                </Button>
                {row.source === "console" && (
                  <Button size="sm" aria-label={`Reset ${words[row.name]?.title ?? row.name}`} onClick={() => back(row)}>
                    Reset
                  </Button>
                )}
              </span>
            ),
          ]}
        />
        <Section title="Set by the environment only">
          <Table
            name="Fixed settings"
            columns={["Setting", "Now"]}
            rows={Object.entries(query.data?.fixed ?? {})}
            keyOf={([name]) => name}
            empty=""
            cells={([name, value]) => [name, value || "not set"]}
          />
        </Section>
      </Pages>
      {act && <ActDialog act={act} onClose={() => setAct(null)} />}
    </div>
  );
}

function Value({ setting }: { setting: Setting }) {
  const { choices, long } = words[setting.name] ?? {};
  return (
    <Field label="Value">
      {(control) => {
        const given = { ...control, name: "value", defaultValue: setting.value };
        if (choices)
          return (
            <NativeSelect {...given}>
              {choices.map((choice) => (
                <option key={choice}>{choice}</option>
              ))}
            </NativeSelect>
          );
        if (long) return <Textarea {...given} maxLength={long} />;
        return <Input {...given} required inputMode="decimal" autoComplete="off" />;
      }}
    </Field>
  );
}
