import { X } from "lucide-react";
import type { Model } from "@/shared/api/types";
import { cn } from "@/shared/lib/cn";
import { day, perMillion, tokens } from "@/shared/lib/format";
import { providerName, words } from "@/shared/lib/names";
import { Button, IconButton } from "@/shared/ui/button";
import { useMarket } from "./market-context";
import { availability } from "./model-facts";
import { price } from "./select-models";

interface Row {
  label: string;
  text: (model: Model) => string;
  /** For "best": the number that counts, and whether more or less is better. */
  better?: { more: boolean; value: (model: Model) => number | null };
}

const rows: Row[] = [
  { label: "Provider", text: (model) => providerName(model.provider) },
  {
    label: "Input per 1M",
    text: (model) => perMillion(model.prices?.input),
    better: { more: false, value: (model) => price(model, "input") },
  },
  {
    label: "Output per 1M",
    text: (model) => perMillion(model.prices?.output),
    better: { more: false, value: (model) => price(model, "output") },
  },
  {
    label: "Cached input per 1M",
    text: (model) => perMillion(model.prices?.cache_read),
    better: {
      more: false,
      value: (model) => (model.prices?.cache_read === undefined ? null : Number(model.prices.cache_read)),
    },
  },
  {
    label: "Context",
    text: (model) => tokens(model.context_window),
    better: { more: true, value: (model) => model.context_window || null },
  },
  {
    label: "Longest answer",
    text: (model) => tokens(model.max_output),
    better: { more: true, value: (model) => model.max_output },
  },
  { label: "Can do", text: (model) => model.capabilities.map(words).join(", ") },
  { label: "Takes in", text: (model) => model.input_modalities.map(words).join(", ") },
  { label: "Available", text: (model) => availability(model).label },
  {
    label: "Offers",
    text: (model) => String(model.offers_count),
    better: { more: true, value: (model) => model.offers_count },
  },
  {
    label: "Rating here",
    text: (model) => (model.rating === null ? "not rated" : `${model.rating} (${model.rating_count})`),
    better: { more: true, value: (model) => model.rating },
  },
  { label: "Released", text: (model) => day(model.released_on) },
  { label: "Retires", text: (model) => day(model.retires_on) },
];

/** Rows for results that at least two of the models have, so that like is compared with like. */
function evidenceRows(models: readonly Model[]): Row[] {
  const labels = new Map<string, number>();
  for (const model of models)
    for (const label of new Set(model.evidence.map((item) => item.label))) labels.set(label, (labels.get(label) ?? 0) + 1);
  const score = (model: Model, label: string) => model.evidence.find((item) => item.label === label)?.score ?? null;
  return [...labels]
    .filter(([, known]) => known >= 2)
    .map(([label]) => ({
      label,
      text: (model) => {
        const value = score(model, label);
        return value === null ? "–" : String(Number(value.toFixed(2)));
      },
      better: { more: true, value: (model) => score(model, label) },
    }));
}

/** The models that are best in a row, if the row tells them apart. */
export function bestIn(row: Pick<Row, "better">, models: readonly Model[]): ReadonlySet<string> {
  const { better } = row;
  if (!better) return new Set();
  const known = models.flatMap((model) => {
    const value = better.value(model);
    return value === null ? [] : [{ id: model.id, value }];
  });
  if (known.length < 2 || new Set(known.map(({ value }) => value)).size < 2) return new Set();
  const top = better.more ? Math.max(...known.map(({ value }) => value)) : Math.min(...known.map(({ value }) => value));
  return new Set(known.filter(({ value }) => value === top).map(({ id }) => id));
}

/** Two to four models side by side; rows in which they differ are marked, and so is the best value. */
export function CompareTable({ models }: { models: readonly Model[] }) {
  const market = useMarket();
  const cell = "border-t border-line px-3 py-1.5 align-top";
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    // biome-ignore lint/a11y/useSemanticElements: a named scroll region round a table
    <div role="region" aria-label="Comparison" tabIndex={0} className="min-h-0 flex-1 overflow-auto">
      <table className="w-full text-left text-sm">
        <thead className="sticky top-0 z-10 bg-raised">
          <tr>
            <td className="sticky left-0 bg-raised px-3 py-2 text-xs text-muted">● differs</td>
            {models.map((model) => (
              <th key={model.id} scope="col" className="min-w-40 px-3 py-2 align-top">
                <span className="flex items-start gap-1">
                  <span className="flex-1 font-semibold">{model.name}</span>
                  <IconButton label={`Take ${model.name} out`} size="sm" onClick={() => market.toggleCompared(model.id)}>
                    <X aria-hidden />
                  </IconButton>
                </span>
                <Button size="sm" className="mt-1" aria-label={`Chat with ${model.name}`} onClick={() => market.use(model)}>
                  Chat
                </Button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...rows, ...evidenceRows(models)].map((row) => {
            const texts = models.map(row.text);
            const differs = new Set(texts).size > 1;
            const best = bestIn(row, models);
            return (
              <tr key={row.label} className={cn(differs && "bg-hover")}>
                <th
                  scope="row"
                  className={cn(
                    cell,
                    "sticky left-0 font-normal whitespace-nowrap",
                    differs ? "bg-hover" : "bg-raised text-muted",
                  )}
                >
                  <span aria-hidden className={cn("mr-1.5", differs ? "text-link" : "invisible")}>
                    ●
                  </span>
                  {row.label}
                  {differs && <span className="sr-only"> (differs)</span>}
                </th>
                {models.map((model, index) => (
                  <td
                    key={model.id}
                    className={cn(cell, "tabular-nums", best.has(model.id) && "font-semibold text-success")}
                  >
                    {texts[index]}
                    {best.has(model.id) && (
                      <span aria-hidden className="ml-1">
                        ✓
                      </span>
                    )}
                    {best.has(model.id) && <span className="sr-only"> (best)</span>}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
