import { useQuery } from "@tanstack/react-query";
import { Copy, GitCompareArrows, KeyRound, MessageSquare, Star } from "lucide-react";
import type { ReactNode } from "react";
import { modelQuery, modelsQuery, offersQuery } from "@/shared/api/queries";
import { useApi } from "@/shared/api/services";
import type { Model, ModelDetail } from "@/shared/api/types";
import { cn } from "@/shared/lib/cn";
import { count, day, tokens } from "@/shared/lib/format";
import { providerName, words } from "@/shared/lib/names";
import { Badge } from "@/shared/ui/badge";
import { Button } from "@/shared/ui/button";
import { DialogBody } from "@/shared/ui/dialog";
import { Notice } from "@/shared/ui/notice";
import { Skeleton } from "@/shared/ui/skeleton";
import { useMarket } from "./market-context";
import { availability, retiresSoon } from "./model-facts";
import { EvidenceList, OfferTable, PriceTable, TrafficFacts } from "./model-tables";
import { PlaceSection } from "./place-section";
import { PriceHistory } from "./price-history";
import { asApiError, ProblemNotice } from "./problem-notice";
import { RateModel, ThumbsHere } from "./rate-model";

/** All that is known of one model, each figure with its source and date. The list's card shows while the page loads. */
export function ModelPage({ id }: { id: string }) {
  const api = useApi();
  const listed = useQuery({ ...modelsQuery(api), select: (reply) => reply.models.find((model) => model.id === id) });
  const detail = useQuery(modelQuery(api, id));
  const offers = useQuery(offersQuery(api, id));
  const model: ModelDetail | undefined = detail.data ?? listed.data;
  const error = asApiError(detail.error);
  if (!model) {
    if (error?.status === 404) return <Gone id={id} nearest={error.extra.nearest} />;
    if (error) return <DialogBody>{<ProblemNotice error={error} onRetry={() => detail.refetch()} />}</DialogBody>;
    return <PageSkeleton />;
  }
  const offersError = asApiError(offers.error);
  return (
    <>
      <Actions model={model} />
      <DialogBody className="flex flex-col gap-5 pt-3">
        <Standing model={model} />
        {model.description && <p className="max-w-prose">{model.description}</p>}
        <dl className="grid grid-cols-2 gap-x-4 gap-y-2 sm:grid-cols-4">
          <Fact label="Context">{tokens(model.context_window)}</Fact>
          <Fact label="Longest input">{tokens(model.max_input)}</Fact>
          <Fact label="Longest answer">{tokens(model.max_output)}</Fact>
          <Fact label="Released">{day(model.released_on)}</Fact>
          <Fact label="Takes in">{model.input_modalities.map(words).join(", ") || "–"}</Fact>
          <Fact label="Gives out">{model.output_modalities.map(words).join(", ") || "–"}</Fact>
          <Fact label="Used here">{count(model.use_count)}×</Fact>
          <Fact label="Rating here">
            {model.rating === null ? "not rated yet" : `${model.rating} of 5 (${model.rating_count})`}
          </Fact>
        </dl>
        <Section title="Capabilities">
          <p className="flex flex-wrap gap-1">
            {model.capabilities.map((name) => (
              <Badge key={name}>{words(name)}</Badge>
            ))}
          </p>
          {model.supported_parameters.length > 0 && (
            <p className="mt-1.5 text-xs text-muted">Parameters: {model.supported_parameters.join(", ")}</p>
          )}
        </Section>
        <Section title="Price">
          <PriceTable prices={model.prices} />
        </Section>
        <Section title={offers.data ? `Offers (${offers.data.length})` : "Offers"}>
          {offers.data ? (
            <OfferTable offers={offers.data} />
          ) : offersError ? (
            <ProblemNotice error={offersError} onRetry={() => offers.refetch()} />
          ) : (
            <Skeleton className="h-24 w-full" />
          )}
        </Section>
        {detail.data?.price_history && (
          <Section title="Price history">
            <PriceHistory points={detail.data.price_history} />
          </Section>
        )}
        <Section title="Price against quality">
          <PlaceSection id={model.id} />
        </Section>
        <RateModel model={model} />
        {detail.data?.thumbs && <ThumbsHere thumbs={detail.data.thumbs} />}
        <Section title="Evidence">
          <EvidenceList evidence={model.evidence} />
        </Section>
        <Section title="On this installation">
          <TrafficFacts stats={model.stats} />
        </Section>
        <Section title="Where these facts come from">
          <ul className="text-sm text-muted">
            {Object.entries(model.sources).map(([field, source]) => (
              <li key={field}>
                {words(field)}: {source}
              </li>
            ))}
          </ul>
        </Section>
      </DialogBody>
    </>
  );
}

function Actions({ model }: { model: Model }) {
  const market = useMarket();
  const favourite = market.favourites.has(model.id);
  const compared = market.state.compare?.includes(model.id) ?? false;
  return (
    <div className="flex flex-col gap-2 border-b border-line px-4 pb-3">
      <p className="flex flex-wrap items-center gap-x-2 text-sm text-muted">
        {providerName(model.maker || model.provider)}
        <code className="rounded bg-code px-1 font-mono text-xs">{model.id}</code>
        <Badge tone={model.pricing_tier === "free" ? "success" : model.pricing_tier === "premium" ? "special" : "neutral"}>
          {model.pricing_tier}
        </Badge>
      </p>
      <div className="flex flex-wrap gap-2">
        <Button variant="primary" onClick={() => market.use(model)}>
          <MessageSquare aria-hidden />
          Chat with it
        </Button>
        <Button aria-pressed={favourite} onClick={() => market.toggleFavourite(model.id)}>
          <Star aria-hidden className={cn(favourite && "fill-star text-star")} />
          {favourite ? "Favourite" : "Add to favourites"}
        </Button>
        <Button aria-pressed={compared} onClick={() => market.toggleCompared(model.id)}>
          <GitCompareArrows aria-hidden className={cn(compared && "text-link")} />
          {compared ? "In comparison" : "Compare"}
        </Button>
        <Button onClick={() => market.copyId(model.id)}>
          <Copy aria-hidden />
          Copy id
        </Button>
      </div>
    </div>
  );
}

function Standing({ model }: { model: Model }) {
  const market = useMarket();
  const state = availability(model);
  const successor = model.successor;
  const next = successor && (
    <Button size="sm" onClick={() => market.change({ view: successor })}>
      See {successor}, its successor
    </Button>
  );
  if (model.retired)
    return (
      <Notice tone="warning" title={`Retired ${model.retires_on ? day(model.retires_on) : ""}`} actions={next}>
        {state.detail}
      </Notice>
    );
  if (retiresSoon(model, Date.now()))
    return (
      <Notice tone="warning" title={`Its maker retires it on ${day(model.retires_on)}`} actions={next}>
        Requests after that day fail or go to another model.
      </Notice>
    );
  if (model.is_available) return null;
  const needsKey = state.label === "Needs a key";
  return (
    <Notice
      tone="warning"
      title={state.label}
      actions={
        <>
          {needsKey && (
            <Button size="sm" variant="primary" onClick={market.addKey}>
              <KeyRound aria-hidden className="size-3.5!" />
              Add a key for {providerName(model.provider)}
            </Button>
          )}
          {next}
        </>
      }
    >
      {state.detail}
    </Notice>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-1.5 text-sm font-semibold">{title}</h3>
      {children}
    </section>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-xs text-muted">{label}</dt>
      <dd className="text-sm font-medium">{children}</dd>
    </div>
  );
}

function Gone({ id, nearest }: { id: string; nearest: unknown }) {
  const market = useMarket();
  const ids = Array.isArray(nearest)
    ? nearest.map((one) => (typeof one === "string" ? one : String((one as { id?: unknown }).id)))
    : [];
  return (
    <DialogBody>
      <Notice
        tone="error"
        title={`There is no model "${id}"`}
        actions={ids.map((other) => (
          <Button key={other} size="sm" onClick={() => market.change({ view: other })}>
            {other}
          </Button>
        ))}
      >
        {ids.length > 0 ? "Nearest to it:" : "It may have been renamed or retired."}
      </Notice>
    </DialogBody>
  );
}

function PageSkeleton() {
  return (
    <DialogBody className="flex flex-col gap-4">
      <p className="sr-only" role="status">
        Loading the model…
      </p>
      <Skeleton className="h-8 w-3/4" />
      <Skeleton className="h-24 w-full" />
      <Skeleton className="h-40 w-full" />
    </DialogBody>
  );
}
