import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "@/shared/api/services";
import { type CapPeriod, createKey, type MarketplaceKey, type NewKey } from "@/shared/keys/keys-api";
import { Button } from "@/shared/ui/button";
import { Field, Input, NativeSelect } from "@/shared/ui/input";

const ends = { "": "never", "7": "in 7 days", "30": "in 30 days", "90": "in 90 days", "365": "in a year" };
const periods: Record<CapPeriod, string> = { total: "in all", day: "a day", week: "a week", month: "a month" };

/** What the form says, as the API takes it; the cap's amount goes as text, so no digit is lost. */
export function newKeyOf(fields: FormData): NewKey | { problem: string } {
  const amount = String(fields.get("cap") ?? "")
    .trim()
    .replace(",", ".");
  const days = String(fields.get("ends") ?? "");
  if (amount && !/^\d+(\.\d{1,9})?$/.test(amount)) return { problem: "Write the cap in dollars, for example 5 or 0.50." };
  return {
    name: String(fields.get("name") ?? "").trim() || "My key",
    ...(amount ? { cap: { amount, period: String(fields.get("period")) as CapPeriod } } : {}),
    ...(days ? { expires_in_days: Number(days) } : {}),
  };
}

export function NewKeyForm({ onCreated }: { onCreated: (key: MarketplaceKey & { key: string }) => void }) {
  const api = useApi();
  const [problem, setProblem] = useState<string>();
  const create = useMutation({ mutationFn: (key: NewKey) => createKey(api, key) });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const key = newKeyOf(new FormData(form));
    setProblem("problem" in key ? key.problem : undefined);
    if ("problem" in key) return;
    create.mutate(key, {
      onSuccess: (made) => {
        form.reset();
        onCreated(made);
      },
    });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-2 rounded border border-line p-3">
      <KeyTerms problem={problem} />
      <div className="flex items-center gap-3">
        <Button type="submit" variant="primary" busy={create.isPending}>
          Create key
        </Button>
        {create.error && (
          <p role="alert" className="text-danger">
            {create.error.message}
          </p>
        )}
      </div>
    </form>
  );
}

/** What a key may spend and how long: the fields that `newKeyOf` reads. */
export function KeyTerms({ problem, name, cap }: { problem?: string; name?: string; cap?: string }) {
  return (
    <div className="flex flex-wrap items-start gap-2">
      <Field label="Name" className="min-w-36 flex-1">
        {(control) => (
          <Input {...control} name="name" defaultValue={name} placeholder="My editor" maxLength={200} autoComplete="off" />
        )}
      </Field>
      <Field label="Cap in dollars" error={problem} className="w-28">
        {(control) => (
          <Input {...control} name="cap" defaultValue={cap} inputMode="decimal" placeholder="none" autoComplete="off" />
        )}
      </Field>
      <Field label="Cap counts">
        {(control) => (
          <NativeSelect {...control} name="period" defaultValue="month">
            {Object.entries(periods).map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      <Field label="Ends">
        {(control) => (
          <NativeSelect {...control} name="ends" defaultValue="90">
            {Object.entries(ends).map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
    </div>
  );
}
