import { GitCompareArrows, X } from "lucide-react";
import type { Model } from "@/shared/api/types";
import { Button, IconButton } from "@/shared/ui/button";
import { useMarket } from "./market-context";
import { MAX_COMPARED } from "./market-state";

/** The chosen models at the foot of the panel. */
export function CompareBar({ models }: { models: readonly Model[] }) {
  const market = useMarket();
  return (
    <section
      aria-label="Chosen for comparison"
      className="flex flex-wrap items-center gap-1.5 border-t border-line bg-surface px-3 py-2"
    >
      {models.map((model) => (
        <span key={model.id} className="flex max-w-40 items-center rounded border border-line pl-2 text-xs">
          <span className="truncate">{model.name}</span>
          <IconButton
            label={`Take ${model.name} out of the comparison`}
            size="sm"
            onClick={() => market.toggleCompared(model.id)}
          >
            <X aria-hidden className="size-3.5!" />
          </IconButton>
        </span>
      ))}
      <span className="ml-auto text-xs text-muted">
        {models.length} of {MAX_COMPARED}
      </span>
      {models.length >= 2 && (
        <a
          href={`/compare?models=${models.map(({ id }) => encodeURIComponent(id)).join(",")}`}
          className="text-sm text-link underline"
        >
          Ask them all
        </a>
      )}
      <Button variant="primary" size="sm" disabled={models.length < 2} onClick={() => market.change({ comparing: true })}>
        <GitCompareArrows aria-hidden className="size-3.5!" />
        Compare
      </Button>
    </section>
  );
}
