import { useId, useState } from "react";
import { cn } from "@/shared/lib/cn";
import { count, funds, money } from "@/shared/lib/format";
import { providerName, words } from "@/shared/lib/names";
import { Button } from "@/shared/ui/button";
import { NativeSelect } from "@/shared/ui/input";
import { type MarketPatch, type MarketState, toggled } from "./market-state";
import type { Facets } from "./select-models";

export interface FacetPanelProps {
  state: MarketState;
  facets: Facets;
  change: (patch: MarketPatch) => void;
  /** Dollars; null when signed out. */
  available: number | null;
  onSignIn: () => void;
}

/** Every filter with the number of models a click would show. */
export function FacetPanel({ state, facets, change, available, onSignIn }: FacetPanelProps) {
  return (
    <div className="flex flex-col gap-4">
      <Group label="Show only">
        <Check label="Available now" count={facets.avail} checked={state.avail} onChange={(avail) => change({ avail })} />
        <Check label="Favourites" count={facets.fav} checked={state.fav} onChange={(fav) => change({ fav })} />
        <Check label="On this computer" count={facets.local} checked={state.local} onChange={(local) => change({ local })} />
        <Check
          label={available === null ? "Fits my balance" : `Fits my balance (${funds(available)})`}
          count={facets.fits}
          checked={state.fits}
          onChange={(fits) => change({ fits })}
        />
        {available === null && (
          <Button variant="link" size="sm" className="justify-start" onClick={onSignIn}>
            Sign in to use your balance
          </Button>
        )}
      </Group>
      <Group label="Price per 1M tokens, at most">
        <Limit
          label="Input"
          value={state.maxIn}
          steps={[0, 0.1, 0.5, 1, 3, 5, 10]}
          format={(value) => (value === 0 ? "free" : money(value))}
          onChange={(maxIn) => change({ maxIn })}
        />
        <Limit
          label="Output"
          value={state.maxOut}
          steps={[0, 0.5, 1, 5, 10, 15, 30]}
          format={(value) => (value === 0 ? "free" : money(value))}
          onChange={(maxOut) => change({ maxOut })}
        />
      </Group>
      <Group label="Context">
        <Limit
          label="At least"
          value={state.minCtx}
          steps={[8_000, 32_000, 128_000, 200_000, 400_000, 1_000_000]}
          format={(value) => (value >= 1_000_000 ? `${value / 1_000_000}M tokens` : `${value / 1_000}K tokens`)}
          onChange={(minCtx) => change({ minCtx })}
        />
      </Group>
      <CheckList
        label="Can do"
        counts={facets.cap}
        chosen={state.cap}
        name={words}
        onToggle={(cap) => change({ cap: toggled(state.cap, cap) })}
      />
      <CheckList
        label="Provider"
        counts={facets.provider}
        chosen={state.provider}
        name={providerName}
        onToggle={(provider) => change({ provider: toggled(state.provider, provider) })}
      />
    </div>
  );
}

function Group({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <fieldset className="flex flex-col gap-0.5">
      <legend className="mb-1 text-xs font-semibold tracking-wide text-muted uppercase">{label}</legend>
      {children}
    </fieldset>
  );
}

function Check(props: {
  label: string;
  count: number | undefined;
  checked: boolean | undefined;
  onChange: (checked: true | undefined) => void;
}) {
  const checked = props.checked ?? false;
  return (
    <label
      className={cn(
        "flex min-h-6 cursor-pointer items-center gap-2 rounded px-1 py-0.5 hover:bg-hover pointer-coarse:min-h-11",
        props.count === 0 && !checked && "text-muted",
      )}
    >
      <input
        type="checkbox"
        className="size-4 shrink-0 accent-accent pointer-coarse:size-5"
        checked={checked}
        onChange={(event) => props.onChange(event.target.checked || undefined)}
      />
      <span className="min-w-0 flex-1 truncate">{props.label}</span>
      <span className="text-xs text-muted tabular-nums">{props.count !== undefined && count(props.count)}</span>
    </label>
  );
}

const initiallyShown = 8;

function CheckList(props: {
  label: string;
  counts: ReadonlyMap<string, number>;
  chosen: readonly string[] | undefined;
  name: (id: string) => string;
  onToggle: (id: string) => void;
}) {
  const [all, setAll] = useState(false);
  const ids = [...new Set([...(props.chosen ?? []), ...props.counts.keys()])];
  const shown = all ? ids : ids.slice(0, initiallyShown);
  if (ids.length === 0) return null;
  return (
    <Group label={props.label}>
      {shown.map((id) => (
        <Check
          key={id}
          label={props.name(id)}
          count={props.counts.get(id) ?? 0}
          checked={props.chosen?.includes(id)}
          onChange={() => props.onToggle(id)}
        />
      ))}
      {ids.length > initiallyShown && (
        <Button variant="link" size="sm" className="justify-start" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${ids.length}`}
        </Button>
      )}
    </Group>
  );
}

function Limit(props: {
  label: string;
  value: number | undefined;
  steps: readonly number[];
  format: (value: number) => string;
  onChange: (value: number | undefined) => void;
}) {
  const id = useId();
  const steps =
    props.value === undefined || props.steps.includes(props.value)
      ? props.steps
      : [...props.steps, props.value].sort((a, b) => a - b);
  return (
    <div className="flex items-center gap-2 px-1 py-0.5">
      <label htmlFor={id} className="flex-1">
        {props.label}
      </label>
      <NativeSelect
        id={id}
        value={props.value ?? ""}
        onChange={(event) => props.onChange(event.target.value === "" ? undefined : Number(event.target.value))}
      >
        <option value="">any</option>
        {steps.map((step) => (
          <option key={step} value={step}>
            {props.format(step)}
          </option>
        ))}
      </NativeSelect>
    </div>
  );
}
