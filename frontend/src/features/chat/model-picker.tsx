import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useDeferredValue, useId, useMemo, useRef, useState } from "react";
import { favouritesQuery, modelsQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import type { Model } from "@/shared/api/types";
import { cn } from "@/shared/lib/cn";
import { perMillion } from "@/shared/lib/format";
import { Dialog } from "@/shared/ui/dialog";
import { Input } from "@/shared/ui/input";
import { Skeleton } from "@/shared/ui/skeleton";
import { AUTO, type ChatModel, chatModel } from "./models";
import { rankModels } from "./rank-models";

export interface ModelPickerProps {
  open: boolean;
  onClose: () => void;
  current: string;
  initialSearch: string;
  onPick: (model: ChatModel) => void;
}

/** Every model by name, favourites first, with its price; arrows and Enter. */
export function ModelPicker({ open, onClose, ...props }: ModelPickerProps) {
  const field = useRef<HTMLInputElement>(null);
  return (
    <Dialog open={open} onOpenChange={(next) => !next && onClose()} title="Choose a model" initialFocus={field}>
      {open && <PickerBody {...props} field={field} />}
    </Dialog>
  );
}

type PickerBodyProps = Omit<ModelPickerProps, "open" | "onClose"> & { field: React.RefObject<HTMLInputElement | null> };

function PickerBody({ current, initialSearch, onPick, field }: PickerBodyProps) {
  const api = useApi();
  const { token } = useSession();
  const id = useId();
  const [search, setSearch] = useState(initialSearch);
  const [selected, setSelected] = useState(0);
  const query = useQuery(modelsQuery(api));
  const favourites = useQuery(favouritesQuery(api, token)).data;
  const words = useDeferredValue(search);
  const found = useMemo(() => rankModels(query.data ?? [], words, favourites ?? []), [query.data, words, favourites]);
  const options: (Model | null)[] = words.trim() ? found : [null, ...found];
  const pick = (option: Model | null | undefined) => {
    if (option === undefined || (option && !option.is_available)) return;
    onPick(option ? chatModel(option) : AUTO);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const next = (selected + step + options.length) % Math.max(1, options.length);
      setSelected(next);
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      pick(options[selected]);
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
        {options.map((option, index) => (
          <Option
            key={option?.id ?? AUTO.id}
            id={`${id}-${index}`}
            model={option}
            selected={index === selected}
            current={(option?.id ?? AUTO.id) === current}
            favourite={option !== null && (favourites?.includes(option.id) ?? false)}
            onPick={() => pick(option)}
          />
        ))}
        {query.isError && <p className="p-3 text-muted">The models could not be loaded.</p>}
        {query.isSuccess && options.length === 0 && <p className="p-3 text-muted">No model fits “{words}”.</p>}
      </div>
    </div>
  );
}

interface OptionProps {
  id: string;
  model: Model | null;
  selected: boolean;
  current: boolean;
  favourite: boolean;
  onPick: () => void;
}

function Option({ id, model, selected, current, favourite, onPick }: OptionProps) {
  const off = model !== null && !model.is_available;
  return (
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={selected}
      aria-disabled={off || undefined}
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
          {model?.name ?? "Auto"}
          <span className={cn("text-xs", !selected && "text-muted")}>
            {" "}
            · {model?.provider ?? "Q Assistant picks for each question"}
          </span>
          {current && <span className="text-xs"> · in use</span>}
        </span>
        {model && (
          <span className={cn("shrink-0 text-xs tabular-nums", !selected && "text-muted")}>
            {model.pricing_tier === "free"
              ? "free"
              : `${perMillion(model.prices?.input)} · ${perMillion(model.prices?.output)} per 1M`}
          </span>
        )}
      </div>
      {off && <p className={cn("text-xs", !selected && "text-muted")}>{model.unavailable_reason ?? "Not available here"}</p>}
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
