import { GitCompareArrows, MessageSquare, Star } from "lucide-react";
import { memo } from "react";
import type { Model } from "@/shared/api/types";
import { cn } from "@/shared/lib/cn";
import { day, tokens } from "@/shared/lib/format";
import { providerName, words } from "@/shared/lib/names";
import { Badge } from "@/shared/ui/badge";
import { Button, IconButton } from "@/shared/ui/button";
import { PageLink } from "@/shared/ui/page-link";
import { useMarket } from "./market-context";
import { availability, priceWords, retiresSoon, standing } from "./model-facts";

const shown = 4;

/** One model at a glance, inside a grid cell. Its name takes the focus; `active` puts it and the other buttons in the tab order. */
export const ModelCard = memo(function ModelCard({
  model,
  index,
  active,
}: {
  model: Model;
  index: number;
  active: boolean;
}) {
  const market = useMarket();
  const favourite = market.favourites.has(model.id);
  const compared = market.state.compare?.includes(model.id) ?? false;
  const tabIndex = active ? 0 : -1;
  const capabilities = model.capabilities.filter((name) => name !== "text");
  return (
    <>
      <div className="flex items-center gap-1">
        <h3 className="min-w-0 flex-1 text-base font-semibold">
          <PageLink
            to={`/marketplace?view=${encodeURIComponent(model.id)}`}
            data-index={index}
            tabIndex={tabIndex}
            title={model.name}
            aria-describedby={`facts-${model.id} price-${model.id} state-${model.id}`}
            className="block h-6 truncate outline-none"
            // The card around it, of which this is the name, opens at a click.
            onFollow={() => {}}
          >
            {model.name}
          </PageLink>
        </h3>
        {model.pricing_tier === "premium" && <span className="text-xs text-special">premium</span>}
        {market.selectedId === model.id && <Badge tone="solid">In chat</Badge>}
        <IconButton
          label={favourite ? `Remove ${model.name} from favourites` : `Add ${model.name} to favourites`}
          aria-pressed={favourite}
          tabIndex={tabIndex}
          size="sm"
          onClick={() => market.toggleFavourite(model.id)}
        >
          <Star aria-hidden className={favourite ? "fill-star text-star" : "text-muted"} />
        </IconButton>
      </div>
      <p id={`facts-${model.id}`} className="truncate text-xs text-muted">
        {providerName(model.provider)}
        {model.offers_count > 1 && ` +${model.offers_count - 1} more`}
        {model.context_window > 0 && (
          <span title={`${model.context_window} tokens of context`}> · {tokens(model.context_window)} context</span>
        )}
      </p>
      <CardPrice model={model} />
      <p className="flex h-6 items-center gap-1 overflow-hidden text-xs">
        {capabilities.slice(0, shown).map((name) => (
          <Badge key={name}>{words(name)}</Badge>
        ))}
        {capabilities.length > shown && (
          <span className="text-muted" title={capabilities.slice(shown).map(words).join(", ")}>
            +{capabilities.length - shown}
          </span>
        )}
        {capabilities.length === 0 && <Badge>text</Badge>}
      </p>
      <div className="mt-auto flex items-center gap-1">
        <CardStanding model={model} />
        <IconButton
          label={compared ? `Take ${model.name} out of the comparison` : `Compare ${model.name}`}
          aria-pressed={compared}
          data-tour="compare"
          tabIndex={tabIndex}
          size="sm"
          className={cn(compared && "border-focus text-link")}
          onClick={() => market.toggleCompared(model.id)}
        >
          <GitCompareArrows aria-hidden />
        </IconButton>
        <Button
          size="sm"
          tabIndex={tabIndex}
          aria-label={`Chat with ${model.name}`}
          className="h-6"
          onClick={() => market.use(model)}
        >
          <MessageSquare aria-hidden className="size-3.5!" />
          Chat
        </Button>
      </div>
    </>
  );
});

function CardPrice({ model }: { model: Model }) {
  const price = priceWords(model);
  if ("words" in price) {
    return (
      <p
        id={`price-${model.id}`}
        className={cn("truncate text-sm", price.words === "Free" ? "font-semibold text-success" : "text-fg")}
      >
        {price.words}
      </p>
    );
  }
  return (
    <p id={`price-${model.id}`} className="truncate text-sm tabular-nums">
      <span className="font-semibold">{price.input}</span> <span className="text-xs text-muted">in</span>
      <span className="text-muted"> · </span>
      <span className="font-semibold">{price.output}</span> <span className="text-xs text-muted">out per 1M</span>
    </p>
  );
}

function CardStanding({ model }: { model: Model }) {
  const state = availability(model);
  const known = standing(model);
  const soon = retiresSoon(model, Date.now());
  return (
    <p id={`state-${model.id}`} className="flex min-w-0 flex-1 flex-col text-xs leading-tight">
      <span className="flex min-w-0 items-center gap-1" title={state.detail}>
        <span
          aria-hidden
          className={cn(
            "size-2 shrink-0 rounded-full border",
            state.tone === "success"
              ? "border-success bg-success"
              : state.tone === "warning"
                ? "border-warning"
                : "border-muted",
          )}
        />
        <span className={cn("truncate", state.tone === "warning" && "text-warning")}>
          {soon && state.tone === "success" ? `Retires ${day(model.retires_on)}` : state.label}
        </span>
      </span>
      <span className="truncate text-muted" title={known ? `${known.label}: ${known.value}` : undefined}>
        {known
          ? known.kind === "rating"
            ? `★ ${known.value}, ${known.label}`
            : `${known.value} ${known.label}`
          : "Not rated yet"}
      </span>
    </p>
  );
}
