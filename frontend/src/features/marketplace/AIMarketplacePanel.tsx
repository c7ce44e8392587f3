import { type ReactNode, type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useHost, useSession, withHost } from "@/shared/api/services";
import type { Model } from "@/shared/api/types";
import { cn } from "@/shared/lib/cn";
import { useToast } from "@/shared/ui/toast";
import { AssistantPicks } from "./assistant-picks";
import { CompareBar } from "./compare-bar";
import { FacetPanel } from "./facet-panel";
import { useFavourites } from "./favourites";
import { type Market, MarketProvider } from "./market-context";
import { MarketDialogs } from "./market-dialogs";
import { isPlain, MAX_COMPARED, type MarketPatch, type MarketState, prune, toggled } from "./market-state";
import { ModelGrid, ModelGridSkeleton } from "./model-grid";
import { NothingFound } from "./nothing-found";
import { PricesAge } from "./prices-age";
import { asApiError, ProblemNotice } from "./problem-notice";
import { FilterRow, SearchBar } from "./search-bar";
import { useAssistant } from "./use-assistant";
import { useLaggingText } from "./use-lagging-text";
import { useMarketModels } from "./use-market-models";
import { Welcome } from "./welcome";

export interface AIMarketplacePanelProps {
  /** Called by every "Chat" and "Try"; `task` is what the user asked Q Assistant about. */
  onSelectModel?: (model: Model, options?: { task?: string; effort?: string }) => void;
  selectedModelId?: string;
  /** The filters, if the surroundings keep them (in the URL); else the panel keeps them itself. */
  state?: MarketState;
  onStateChange?: (patch: MarketPatch) => void;
  /** For `/` from outside. */
  searchRef?: RefObject<HTMLInputElement | null>;
  /** Begins with what this place is, for somebody who has just come. */
  welcome?: boolean;
  className?: string;
  /** What else there is for the words that are looked for, above the models. */
  beside?: (q: string) => ReactNode;
}

function Panel(props: AIMarketplacePanelProps) {
  const { state: kept, change } = useMarketState(props);
  const [text, setText] = useLaggingText(kept.q ?? "", (q) => change({ q: q || undefined }));
  const state = useMemo(() => ({ ...kept, q: text || undefined }), [kept, text]);
  const { session } = useSession();
  const favourites = useFavourites();
  const assistant = useAssistant();
  // While Q Assistant answers about these words they are a task and no filter.
  const asked = assistant.task !== null && assistant.task === state.q;
  const listed = useMemo(() => (asked ? { ...state, q: undefined } : state), [asked, state]);
  const { list, total, found, shown, facets, available, byId, guessed } = useMarketModels(listed, favourites.ids);
  const market = useMarketActions(props, state, change, favourites);
  const [filtersOpen, setFiltersOpen] = useState(false);
  const ownSearch = useRef<HTMLInputElement>(null);
  const searchRef = props.searchRef ?? ownSearch;
  const body = useRef<HTMLDivElement>(null);
  const error = asApiError(list.error);
  const compared = (state.compare ?? []).flatMap((id) => byId.get(id) ?? []);
  const facetPanel = (
    <FacetPanel
      state={state}
      facets={facets}
      change={change}
      available={available}
      onSignIn={() => void session.require("asked")}
    />
  );
  const retry = useCallback(() => void list.refetch(), [list.refetch]);

  return (
    <MarketProvider value={market}>
      <section
        aria-label="AI Agent Marketplace"
        className={cn("@container flex h-full min-h-0 flex-col bg-surface", props.className)}
      >
        {props.welcome && assistant.task === null && isPlain(state) && (
          <Welcome
            models={shown}
            onAsk={(task) => {
              setText(task);
              assistant.ask(task);
            }}
          />
        )}
        <header className="flex flex-col gap-2 px-3 pt-2 pb-2">
          <div className="flex items-baseline gap-2">
            <h2 className="text-xs font-semibold tracking-wide uppercase">AI Agent Marketplace</h2>
            <span className="ml-auto" />
            <PricesAge />
            <p role="status" className="text-xs text-muted tabular-nums">
              {list.isSuccess && (found === total ? `${total} models` : `${found} of ${total} models`)}
            </p>
          </div>
          <div className="flex flex-wrap items-center gap-2">
            <SearchBar
              value={text}
              inputRef={searchRef}
              asking={assistant.busy}
              onChange={setText}
              onAsk={() => state.q && assistant.ask(state.q)}
              onLeave={() => body.current?.querySelector<HTMLElement>('[data-index][tabindex="0"]')?.focus()}
            />
            <FilterRow state={state} facets={facets} change={change} onOpenFilters={() => setFiltersOpen(true)} />
          </div>
        </header>
        {assistant.task !== null && (
          <div className="max-h-[65%] mb-2 shrink-0 overflow-y-auto border-y border-line">
            <AssistantPicks
              task={assistant.task}
              reply={assistant.reply}
              error={assistant.error}
              busy={assistant.busy}
              priority={assistant.priority}
              onPriority={assistant.prefer}
              maxCost={assistant.maxCost}
              onLimit={assistant.limit}
              onDrop={assistant.drop}
              onRetry={assistant.retry}
              onClose={assistant.close}
            />
          </div>
        )}
        {!asked && props.beside?.(state.q ?? "")}
        <div ref={body} className="flex min-h-0 flex-1">
          <aside aria-label="Filters" className="hidden w-60 shrink-0 overflow-y-auto px-3 pb-3 @min-[56rem]:block">
            {facetPanel}
          </aside>
          <div className="flex min-w-0 flex-1 flex-col">
            {error && total > 0 && <ProblemNotice error={error} onRetry={retry} className="mx-3 mb-2" />}
            {guessed && <p className="px-3 pb-1.5 text-muted">No exact match. The nearest:</p>}
            {list.isPending ? (
              <ModelGridSkeleton />
            ) : error && total === 0 ? (
              <ProblemNotice error={error} onRetry={retry} className="mx-3" />
            ) : shown.length === 0 ? (
              <NothingFound state={state} total={total} change={change} onAsk={assistant.ask} />
            ) : (
              <ModelGrid models={shown} label={`Models, ${found}`} />
            )}
          </div>
        </div>
        {compared.length > 0 && <CompareBar models={compared} />}
        <MarketDialogs
          compared={compared}
          byId={byId}
          filters={filtersOpen ? facetPanel : null}
          found={found}
          onCloseFilters={() => setFiltersOpen(false)}
        />
      </section>
    </MarketProvider>
  );
}

function useMarketState({ state, onStateChange }: AIMarketplacePanelProps) {
  const [own, setOwn] = useState<MarketState>({});
  const changeOwn = useCallback((patch: MarketPatch) => setOwn((before) => prune({ ...before, ...patch })), []);
  return { state: state ?? own, change: onStateChange ?? changeOwn };
}

function useMarketActions(
  { onSelectModel, selectedModelId }: AIMarketplacePanelProps,
  state: MarketState,
  change: (patch: MarketPatch) => void,
  favourites: ReturnType<typeof useFavourites>,
): Market {
  const host = useHost();
  const { session } = useSession();
  const toast = useToast();
  const latest = useRef({ state, change, favourites, onSelectModel, toast });
  useEffect(() => {
    latest.current = { state, change, favourites, onSelectModel, toast };
  });
  const actions = useMemo(
    () => ({
      change: (patch: MarketPatch) => latest.current.change(patch),
      toggleFavourite: (id: string) => latest.current.favourites.toggle(id),
      toggleCompared(id: string) {
        const { state, change, toast } = latest.current;
        const next = toggled(state.compare, id);
        if ((next?.length ?? 0) > MAX_COMPARED) return toast({ title: `At most ${MAX_COMPARED} models side by side` });
        change({ compare: next, comparing: (next?.length ?? 0) < 2 ? undefined : state.comparing });
      },
      copyId(id: string) {
        void host
          .copy(id)
          .then((copied) => latest.current.toast({ title: copied ? `Copied ${id}` : `Could not copy. The id is ${id}` }));
      },
      addKey: () => void session.require("asked", "api-keys"),
      use(model: Model, task?: string, effort?: string) {
        const { change, onSelectModel } = latest.current;
        change({ view: undefined, comparing: undefined });
        onSelectModel?.(model, { task, effort });
      },
    }),
    [host, session],
  );
  return useMemo(
    () => ({ ...actions, state, favourites: favourites.ids, selectedId: selectedModelId }),
    [actions, state, favourites.ids, selectedModelId],
  );
}

/** The marketplace: every model, search that doubles as a task for Q Assistant, filters, comparison. Takes `host` when embedded alone. */
export const AIMarketplacePanel = withHost(Panel);
