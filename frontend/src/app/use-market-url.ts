import { useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { type AppSearch, appSearch, marketState } from "@/app/app-search";
import { type MarketPatch, prune, searchFromState } from "@/features/marketplace/market-state";

/** The marketplace's state, kept in the URL of the given page. Opening a model or a comparison makes a step for the back button. */
export function useMarketUrl(search: AppSearch, to: "/" | "/marketplace") {
  const navigate = useNavigate();
  const state = useMemo(() => marketState(search), [search]);
  const change = useCallback(
    (patch: MarketPatch) => {
      void navigate({
        to,
        search: (before) => {
          const known = appSearch(before);
          return { ...known, ...searchFromState(prune({ ...marketState(known), ...patch })), ...cleared(patch) };
        },
        replace: !(patch.view || patch.comparing),
      });
    },
    [navigate, to],
  );
  return { state, change };
}

/** An undefined in a patch takes the parameter out of the address. */
function cleared(patch: MarketPatch): Partial<AppSearch> {
  return Object.fromEntries(
    Object.entries(patch).flatMap(([key, value]) => (value === undefined ? [[key, undefined]] : [])),
  );
}
