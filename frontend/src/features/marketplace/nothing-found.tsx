import { SearchX, Sparkles } from "lucide-react";
import { Button } from "@/shared/ui/button";
import { EmptyState } from "@/shared/ui/notice";
import { activeFilters, type MarketPatch, type MarketState, noFilters } from "./market-state";
import { looksLikeTask } from "./search-models";

/** No card: why, and the next step. */
export function NothingFound(props: {
  state: MarketState;
  total: number;
  change: (patch: MarketPatch) => void;
  onAsk: (task: string) => void;
}) {
  const { state, change } = props;
  const filters = activeFilters(state);
  const text = state.q;
  if (props.total === 0) {
    return (
      <EmptyState icon={<SearchX aria-hidden />} title="The catalogue is empty">
        The server's operator can fill it with <code>agent-marketplace catalog sync</code>.
      </EmptyState>
    );
  }
  if (text && filters === 0 && looksLikeTask(text)) {
    return (
      <EmptyState
        icon={<Sparkles aria-hidden />}
        title="That reads like a task"
        actions={
          <>
            <Button variant="primary" onClick={() => props.onAsk(text)}>
              Ask Q Assistant for a model
            </Button>
            <Button onClick={() => change({ q: undefined })}>Clear the search</Button>
          </>
        }
      >
        No model is called that. Q Assistant can pick the ones that suit it.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={<SearchX aria-hidden />}
      title="No model matches"
      actions={
        <>
          {filters > 0 && (
            <Button variant="primary" onClick={() => change(noFilters)}>
              {filters === 1 ? "Remove the filter" : `Remove ${filters} filters`}
            </Button>
          )}
          {text && <Button onClick={() => change({ q: undefined })}>Clear the search</Button>}
        </>
      }
    >
      {state.fav && filters === 1 ? "Star a model with its ☆ and it stays here." : "Try other words or fewer filters."}
    </EmptyState>
  );
}
