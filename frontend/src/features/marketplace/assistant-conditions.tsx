import { X } from "lucide-react";
import type { FormEvent } from "react";
import type { NearPick, Understood, WhatIf } from "@/shared/api/types";
import { money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Input } from "@/shared/ui/input";
import { useMarket } from "./market-context";

/** What an answer may cost at most, beside what the words say. */
export function BudgetField({ value, onChange }: { value: string; onChange: (maxCost: string) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const typed = String(new FormData(event.currentTarget).get("max_cost") ?? "").trim();
    if (typed === "" || Number(typed) >= 0) onChange(typed);
  };
  return (
    <form className="flex items-center gap-1 text-sm" onSubmit={submit}>
      <span className="flex items-center gap-1 text-muted">
        At most $
        <Input
          name="max_cost"
          inputMode="decimal"
          pattern="[0-9]*[.]?[0-9]*"
          defaultValue={value}
          placeholder="any"
          aria-label="At most, dollars an answer"
          className="h-7 w-20"
          onBlur={(event) => event.target.value.trim() !== value && event.target.form?.requestSubmit()}
        />
        an answer
      </span>
    </form>
  );
}

/** The conditions that were read off the words, each to be taken back. */
export function Conditions({ understood, onDrop }: { understood: readonly Understood[]; onDrop: (id: string) => void }) {
  if (understood.length === 0) return null;
  return (
    <ul aria-label="Understood from your words" className="mt-2 flex flex-wrap gap-1">
      {understood.map(({ id, words, text }) => (
        <li key={id}>
          <Button
            size="sm"
            className="h-6 rounded-full"
            title={`From “${words}”`}
            aria-label={`Not meant: ${text}`}
            onClick={() => onDrop(id)}
          >
            {text}
            <X aria-hidden className="size-3!" />
          </Button>
        </li>
      ))}
    </ul>
  );
}

/** Nothing fits: what comes nearest, and what it breaks. */
export function Nearest({ picks }: { picks: readonly NearPick[] }) {
  const market = useMarket();
  if (picks.length === 0) return null;
  return (
    <div className="mt-2 text-sm">
      <p className="text-muted">Nearest to it:</p>
      <ul>
        {picks.map(({ model, breaks, estimated_cost: cost }) => (
          <li key={model.id} className="flex flex-wrap items-baseline gap-x-2 border-t border-line py-1.5">
            <button type="button" className="font-medium hover:underline" onClick={() => market.change({ view: model.id })}>
              {model.name}
            </button>
            <span className="text-muted">about {money(cost)}</span>
            <span className="text-warning">{breaks.join(" · ")}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What a little more (or less) would bring, and what could not be known. */
export function Remarks({ whatIf, notes }: { whatIf: readonly WhatIf[]; notes: readonly string[] }) {
  if (whatIf.length + notes.length === 0) return null;
  return (
    <ul className="mt-2 text-xs text-muted">
      {[...whatIf.map(({ says }) => says), ...notes].map((words) => (
        <li key={words}>{words}</li>
      ))}
    </ul>
  );
}
