import { useQuery } from "@tanstack/react-query";
import { Bot } from "lucide-react";
import { type KeyboardEvent, useDeferredValue, useId, useMemo, useRef, useState } from "react";
import type { Agent } from "@/features/chat/dialogs/agents-api";
import { favouritesQuery, modelsQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import type { Model } from "@/shared/api/types";
import { cn } from "@/shared/lib/cn";
import { isComposing } from "@/shared/lib/composing";
import { perMillion } from "@/shared/lib/format";
import { providerName } from "@/shared/lib/names";
import { Button } from "@/shared/ui/button";
import { Dialog } from "@/shared/ui/dialog";
import { Input } from "@/shared/ui/input";
import { Skeleton } from "@/shared/ui/skeleton";
import { AUTO, useAgents } from "./models";
import { rankModels } from "./rank-models";

export interface ModelPickerProps {
  open: boolean;
  onClose: () => void;
  current: string;
  initialSearch: string;
  onPick: (id: string) => void;
  onAgents: () => void;
  /** What else may be chosen here, before the models. */
  more?: readonly Choice[];
}

/** One line to choose. */
export interface Choice {
  id: string;
  name: string;
  detail: string;
  price?: string;
  /** Why it can't be chosen. */
  off?: string;
  favourite?: boolean;
}

/** The user's agents and every model by name, favourites first, with its price; arrows and Enter. */
export function ModelPicker({ open, onClose, ...props }: ModelPickerProps) {
  const field = useRef<HTMLInputElement>(null);
  return (
    <Dialog open={open} onOpenChange={(next) => !next && onClose()} title="Choose a model" initialFocus={field}>
      {open && <PickerBody {...props} field={field} />}
    </Dialog>
  );
}

type PickerBodyProps = Omit<ModelPickerProps, "open" | "onClose"> & { field: React.RefObject<HTMLInputElement | null> };

function PickerBody({ current, initialSearch, onPick, onAgents, more, field }: PickerBodyProps) {
  const api = useApi();
  const { token } = useSession();
  const id = useId();
  const [search, setSearch] = useState(initialSearch);
  const [selected, setSelected] = useState(0);
  const query = useQuery(modelsQuery(api));
  const favourites = useQuery(favouritesQuery(api, token)).data;
  const words = useDeferredValue(search);
  const agents = useAgents();
  const choices = useMemo(
    () => [
      ...(words.trim() ? [] : [AUTO_CHOICE]),
      ...agentChoices(agents ?? [], query.data ?? [], words),
      ...(more ?? []).filter(({ name, detail }) => holds(`${name} ${detail}`, words)),
      ...rankModels(query.data ?? [], words, favourites ?? []).map((model) => modelChoice(model, favourites ?? [])),
    ],
    [query.data, words, favourites, agents, more],
  );
  const pick = (choice: Choice | undefined) => {
    if (choice && !choice.off) onPick(choice.id);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const next = (selected + step + choices.length) % Math.max(1, choices.length);
      setSelected(next);
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      pick(choices[selected]);
    }
  };
  return (
    <div className="flex min-h-0 flex-col">
      <div className="px-4 pb-2">
        <Input
          ref={field}
          role="combobox"
          aria-expanded
          aria-controls={id}
          aria-activedescendant={`${id}-${selected}`}
          aria-label="Search models"
          placeholder="Name, provider or capability"
          value={search}
          onChange={(event) => {
            setSearch(event.target.value);
            setSelected(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div
        id={id}
        role="listbox"
        aria-label="Models"
        tabIndex={-1}
        className="h-[50dvh] overflow-y-auto border-t border-line p-1"
      >
        {query.isLoading && <PickerSkeleton />}
        {choices.map((choice, index) => (
          <Option
            key={choice.id}
            id={`${id}-${index}`}
            choice={choice}
            selected={index === selected}
            current={choice.id === current}
            onPick={() => pick(choice)}
          />
        ))}
        {query.isError && <p className="p-3 text-muted">The models could not be loaded.</p>}
        {query.isSuccess && choices.length === 0 && <p className="p-3 text-muted">No model fits “{words}”.</p>}
      </div>
      <footer className="border-t border-line px-4 py-2">
        <Button size="sm" onClick={onAgents}>
          <Bot aria-hidden /> Your agents…
        </Button>
      </footer>
    </div>
  );
}

const AUTO_CHOICE: Choice = { id: AUTO.id, name: AUTO.name, detail: "Q Assistant picks for each question" };

const holds = (text: string, search: string): boolean =>
  search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.toLowerCase().includes(word));

function agentChoices(agents: readonly Agent[], models: readonly Model[], search: string): Choice[] {
  return agents
    .filter((agent) => holds(`agent ${agent.name}`, search))
    .map(({ id, name, model }) => {
      const called = model === AUTO.id ? AUTO.name : (models.find((each) => each.id === model)?.name ?? model);
      return { id, name, detail: `your agent, on ${called}` };
    });
}

function modelChoice(model: Model, favourites: readonly string[]): Choice {
  const { input, output } = model.prices ?? {};
  return {
    id: model.id,
    name: model.name,
    detail: providerName(model.provider),
    price: model.pricing_tier === "free" ? "free" : `${perMillion(input)} · ${perMillion(output)} per 1M`,
    off: model.is_available ? undefined : (model.unavailable_reason ?? "Not available here"),
    favourite: favourites.includes(model.id),
  };
}

interface OptionProps {
  id: string;
  choice: Choice;
  selected: boolean;
  current: boolean;
  onPick: () => void;
}

function Option({ id, choice, selected, current, onPick }: OptionProps) {
  const { name, detail, price, off, favourite } = choice;
  return (
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={selected}
      aria-disabled={off !== undefined || undefined}
      className={cn(
        "cursor-pointer rounded px-3 py-1.5 pointer-coarse:py-3",
        selected && "bg-active text-active-fg",
        off && "cursor-not-allowed",
      )}
      onClick={onPick}
      onKeyDown={undefined}
    >
      <div className="flex items-baseline gap-2">
        <span className={cn("min-w-0 flex-1 truncate", current && "font-semibold")}>
          {favourite && <span aria-hidden>★ </span>}
          {name}
          <span className={cn("text-xs", !selected && "text-muted")}> · {detail}</span>
          {current && <span className="text-xs"> · in use</span>}
        </span>
        {price && <span className={cn("shrink-0 text-xs tabular-nums", !selected && "text-muted")}>{price}</span>}
      </div>
      {off && <p className={cn("text-xs", !selected && "text-muted")}>{off}</p>}
    </div>
  );
}

function PickerSkeleton() {
  return (
    <div aria-busy="true" className="flex flex-col gap-3 p-3">
      {["a", "b", "c", "d", "e", "f"].map((row) => (
        <Skeleton key={row} className="h-5" />
      ))}
    </div>
  );
}
