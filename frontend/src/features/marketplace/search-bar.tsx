import { Search, SlidersHorizontal, Sparkles, X } from "lucide-react";
import type { KeyboardEvent, RefObject } from "react";
import { cn } from "@/shared/lib/cn";
import { isComposing } from "@/shared/lib/composing";
import { count } from "@/shared/lib/format";
import { Button, IconButton } from "@/shared/ui/button";
import { NativeSelect } from "@/shared/ui/input";
import { activeFilters, type MarketPatch, type MarketState, type Sort } from "./market-state";
import type { Facets } from "./select-models";

export interface SearchBarProps {
  value: string;
  inputRef: RefObject<HTMLInputElement | null>;
  asking: boolean;
  onChange: (text: string) => void;
  onAsk: () => void;
  onLeave: () => void;
}

/** Search as you type; the same words are the task that Q Assistant is asked about (its button, or Enter). */
export function SearchBar({ value: text, inputRef, asking, onChange: edit, onAsk, onLeave }: SearchBarProps) {
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === "Enter" && text.trim()) onAsk();
    if (event.key === "Escape" && text) edit("");
    if (event.key === "ArrowDown") {
      event.preventDefault();
      onLeave();
    }
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: <search> is not announced by every reader yet
    <div role="search" className="contents">
      <div className="relative min-w-full flex-1 @min-[40rem]:min-w-64">
        <Search aria-hidden className="pointer-events-none absolute top-1/2 left-2 size-4 -translate-y-1/2 text-muted" />
        <input
          ref={inputRef}
          data-tour="search"
          type="text"
          inputMode="search"
          enterKeyHint="search"
          aria-label="Search models or describe your task"
          aria-keyshortcuts="/"
          placeholder="Search models or describe your task…"
          value={text}
          onChange={(event) => edit(event.target.value)}
          onKeyDown={onKeyDown}
          className="h-8 w-full rounded border border-input-line bg-input pr-8 pl-8 text-sm text-input-fg focus-visible:border-focus focus-visible:outline-offset-0 pointer-coarse:h-11 pointer-coarse:text-base"
        />
        {text && (
          <IconButton
            label="Clear the search"
            size="sm"
            className="absolute top-1/2 right-1 -translate-y-1/2"
            onClick={() => {
              edit("");
              inputRef.current?.focus();
            }}
          >
            <X aria-hidden />
          </IconButton>
        )}
      </div>
      <Button
        variant="primary"
        data-tour="assistant"
        className="flex-1 @min-[40rem]:flex-none"
        busy={asking}
        onClick={() => (text.trim() ? onAsk() : inputRef.current?.focus())}
      >
        <Sparkles aria-hidden />
        Ask Q Assistant
      </Button>
    </div>
  );
}

const tiers = [
  [undefined, "All"],
  ["free", "Free"],
  ["paid", "Paid"],
  ["premium", "Premium"],
] as const;

const sortLabels: Record<Sort, string> = {
  best: "Best match",
  price: "Cheapest",
  "-price": "Dearest",
  context: "Largest context",
  newest: "Newest",
  used: "Most used here",
  rating: "Highest rated here",
  name: "Name",
};

export interface FilterRowProps {
  state: MarketState;
  facets: Facets;
  change: (patch: MarketPatch) => void;
  /** Opens the filters where they have no column of their own. */
  onOpenFilters: () => void;
}

export function FilterRow({ state, facets, change, onOpenFilters }: FilterRowProps) {
  const others = activeFilters(state) - (state.tier ? 1 : 0);
  return (
    <>
      <div className="flex items-center gap-2">
        <NativeSelect
          aria-label="Sort by"
          className="w-28 @min-[40rem]:w-auto"
          value={state.sort ?? "best"}
          onChange={(event) => change({ sort: event.target.value as Sort })}
        >
          {Object.entries(sortLabels).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </NativeSelect>
        <Button className="@min-[56rem]:hidden" onClick={onOpenFilters} aria-haspopup="dialog">
          <SlidersHorizontal aria-hidden />
          Filters
          {others > 0 && (
            <span className="rounded-full bg-badge px-1.5 text-xs text-badge-fg">
              {others}
              <span className="sr-only"> on</span>
            </span>
          )}
        </Button>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a row of toggles, not a form's fieldset */}
      <div role="group" aria-label="Pricing" className="flex w-full flex-wrap gap-1">
        {tiers.map(([tier, label]) => {
          const pressed = state.tier === tier;
          const total = tier ? (facets.tier.get(tier) ?? 0) : [...facets.tier.values()].reduce((sum, one) => sum + one, 0);
          return (
            <Button
              key={label}
              size="sm"
              variant="ghost"
              aria-pressed={pressed}
              onClick={() => change({ tier })}
              className={cn("border-line", pressed && "border-focus bg-active text-active-fg")}
            >
              {label}
              <span className={cn("text-xs tabular-nums", !pressed && "text-muted")}>{count(total)}</span>
            </Button>
          );
        })}
      </div>
    </>
  );
}
