import { KeyRound, MessageSquare, Sparkles, X } from "lucide-react";
import type { ApiError } from "@/shared/api/errors";
import type { BlockedPick, Priority, Recommendation, Recommendations } from "@/shared/api/types";
import { cn } from "@/shared/lib/cn";
import { money } from "@/shared/lib/format";
import { providerName, words } from "@/shared/lib/names";
import { Badge } from "@/shared/ui/badge";
import { Button, IconButton } from "@/shared/ui/button";
import { Notice } from "@/shared/ui/notice";
import { Skeleton } from "@/shared/ui/skeleton";
import { BudgetField, Conditions, Nearest, Remarks } from "./assistant-conditions";
import { useMarket } from "./market-context";
import { priceWords } from "./model-facts";
import { ProblemNotice } from "./problem-notice";

export interface AssistantPicksProps {
  task: string;
  reply: Recommendations | undefined;
  error: ApiError | null;
  busy: boolean;
  priority: Priority;
  onPriority: (priority: Priority) => void;
  maxCost: string;
  onLimit: (maxCost: string) => void;
  /** A condition that was read off the words and is not meant. */
  onDrop: (id: string) => void;
  onRetry: () => void;
  onClose: () => void;
}

const priorities: [Priority, string][] = [
  ["balanced", "Balanced"],
  ["quality", "Best quality"],
  ["cost", "Lowest cost"],
  ["speed", "Fastest"],
];

/** Q Assistant's answer: ranked picks with why, price and what each gives up; what needs a key is said, not hidden. */
export function AssistantPicks(props: AssistantPicksProps) {
  const { reply, busy } = props;
  const analysis = reply?.analysis;
  return (
    <section aria-label="Recommended for you" aria-busy={busy} className="bg-surface px-3 py-2">
      <div className="flex items-center gap-2">
        <Sparkles aria-hidden className="size-4 shrink-0 text-link" />
        <h3 className="min-w-0 flex-1 truncate font-semibold" title={props.task}>
          Recommended for you
          {analysis && <span className="font-normal text-muted"> · {words(analysis.type)}</span>}
        </h3>
        <IconButton label="Close the recommendations" size="sm" onClick={props.onClose}>
          <X aria-hidden />
        </IconButton>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a row of toggles, not a form's fieldset */}
      <div role="group" aria-label="What matters most" className="mt-1 flex flex-wrap items-center gap-1">
        {priorities.map(([value, label]) => (
          <Button
            key={value}
            variant="ghost"
            size="sm"
            aria-pressed={props.priority === value}
            className={cn("border-line", props.priority === value && "border-focus bg-active text-active-fg")}
            onClick={() => props.onPriority(value)}
          >
            {label}
          </Button>
        ))}
        <BudgetField key={props.maxCost} value={props.maxCost} onChange={props.onLimit} />
      </div>
      {reply && <Conditions understood={reply.understood ?? []} onDrop={props.onDrop} />}
      {analysis?.uncertain && analysis.question && (
        <p role="status" className="mt-2 text-sm">
          <span className="font-medium">Q is not sure: </span>
          {analysis.question}
        </p>
      )}
      {props.error && <ProblemNotice error={props.error} onRetry={props.onRetry} className="mt-2" />}
      <p role="status" className="sr-only">
        {busy ? "Q Assistant is choosing" : reply ? `${reply.recommendations.length} recommendations` : ""}
      </p>
      {!props.error && (
        <ol className="mt-2 grid gap-2 @min-[40rem]:grid-cols-3">
          {reply && !busy ? (
            reply.recommendations.map((pick) => <Pick key={pick.model.id} pick={pick} task={props.task} />)
          ) : (
            <PicksSkeleton />
          )}
        </ol>
      )}
      {reply && !busy && reply.recommendations.length === 0 && (
        <Notice title="No model fits" className="mt-2">
          Nothing in the catalogue that can be used now fits this task. Take back a condition, describe it in other words, or
          add a provider's key.
        </Notice>
      )}
      {reply && !busy && <FittingAgents agents={reply.agents ?? []} />}
      {reply && !busy && <Nearest picks={reply.nearest ?? []} />}
      {reply && !busy && <Remarks whatIf={reply.what_if ?? []} notes={reply.notes ?? []} />}
      {reply && reply.blocked.length > 0 && !busy && <Blocked picks={reply.blocked} />}
    </section>
  );
}

function Pick({ pick, task }: { pick: Recommendation; task: string }) {
  const market = useMarket();
  const { model } = pick;
  const reasons = pick.reasons.length > 0 ? pick.reasons : [pick.reasoning];
  const price = priceWords(model);
  return (
    <li className="flex flex-col gap-1 rounded-md border border-line bg-raised px-3 py-2 hc:border-contrast">
      <div className="flex items-baseline gap-2">
        <span className="font-semibold text-link">{pick.rank}</span>
        <button
          type="button"
          className="min-w-0 flex-1 truncate text-left font-semibold hover:underline"
          onClick={() => market.change({ view: model.id })}
        >
          {model.name}
        </button>
        {pick.effort && (
          <Badge title="How hard it is asked to think; score, price and time are of this">{pick.effort}</Badge>
        )}
        <Badge title="How well it suits this task, of 10">{Number(pick.score).toFixed(1)} of 10</Badge>
      </div>
      <p className="truncate text-xs text-muted">
        {providerName(model.provider)} · {"words" in price ? price.words : `${price.input} in · ${price.output} out per 1M`}
      </p>
      <ul className="list-disc pl-4 text-sm">
        {reasons.slice(0, 3).map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
      {pick.gives_up && (
        <p className="text-xs text-muted">
          <span className="font-medium text-fg">Gives up:</span> {pick.gives_up}
        </p>
      )}
      <div className="mt-auto flex items-center gap-2 pt-1">
        <p className="min-w-0 flex-1 text-xs">
          About {money(pick.cost_range.p50)}
          <span className="text-muted">, rarely over {money(pick.cost_range.p95)}</span>
        </p>
        <Button
          variant="primary"
          size="sm"
          aria-label={`Try ${model.name}`}
          onClick={() => market.use(model, task, pick.effort ?? undefined)}
        >
          <MessageSquare aria-hidden className="size-3.5!" />
          Try
        </Button>
      </div>
      {!pick.is_available && (
        <p className="text-xs text-warning">{model.unavailable_reason ?? "Your balance does not cover this."}</p>
      )}
    </li>
  );
}

function Blocked({ picks }: { picks: readonly BlockedPick[] }) {
  const market = useMarket();
  return (
    <div className="mt-2 text-sm">
      <p className="text-muted">Would also suit, but cannot be used yet:</p>
      <ul className="mt-1 flex flex-col">
        {picks.map(({ model, provider, missing, reason }) => (
          <li key={model.id} className="flex flex-wrap items-center gap-x-2 gap-y-1 border-t border-line py-1.5">
            <span className="min-w-full flex-1 @min-[40rem]:min-w-0">
              <span className="font-medium">{model.name}</span>
              <span className="line-clamp-1 text-xs text-muted" title={reason}>
                {reason}
              </span>
            </span>
            {/\bkey\b/.test(missing) ? (
              <Button size="sm" onClick={market.addKey}>
                <KeyRound aria-hidden className="size-3.5!" />
                Add a key for {providerName(provider)}
              </Button>
            ) : (
              <span className="text-xs text-warning">{missing}</span>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function PicksSkeleton() {
  return [1, 2, 3].map((rank) => (
    <li key={rank} className="flex flex-col gap-1.5 rounded-md border border-line bg-raised px-3 py-2">
      <Skeleton className="h-5 w-2/3" />
      <Skeleton className="h-3.5 w-1/2" />
      <Skeleton className="h-9 w-full" />
      <Skeleton className="h-7 w-full" />
    </li>
  ));
}

function FittingAgents({ agents }: { agents: Recommendations["agents"] }) {
  if (agents.length === 0) return null;
  return (
    <p className="text-sm">
      An agent made for this:{" "}
      {agents.map(({ model, name, summary }) => (
        <a
          key={model}
          href={`/agents?at=${encodeURIComponent(model.replace(/^agent\//, ""))}`}
          title={summary}
          className="mr-2 text-link underline"
        >
          {name}
        </a>
      ))}
    </p>
  );
}
