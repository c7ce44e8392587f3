import type { ReactNode } from "react";
import { lazy, Suspense } from "react";
import type { Model } from "@/shared/api/types";
import { count } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Skeleton } from "@/shared/ui/skeleton";
import { useMarket } from "./market-context";

const Dialog = lazy(() => import("@/shared/ui/dialog").then((module) => ({ default: module.Dialog })));
const DialogBody = lazy(() => import("@/shared/ui/dialog").then((module) => ({ default: module.DialogBody })));
const ModelPage = lazy(() => import("./model-page").then((module) => ({ default: module.ModelPage })));
const CompareTable = lazy(() => import("./compare-table").then((module) => ({ default: module.CompareTable })));

export interface MarketDialogsProps {
  compared: readonly Model[];
  byId: ReadonlyMap<string, Model>;
  /** The filters, when they are open as a sheet. */
  filters: ReactNode | null;
  found: number;
  onCloseFilters: () => void;
}

/** What stands over the panel: a model's page, the comparison, and the filters where there is no room beside the cards. */
export function MarketDialogs({ compared, byId, filters, found, onCloseFilters }: MarketDialogsProps) {
  const market = useMarket();
  const { view, comparing } = market.state;
  return (
    <Suspense fallback={null}>
      {filters && (
        <Dialog open onOpenChange={onCloseFilters} title="Filters" variant="drawer" className="w-[min(22rem,100vw)]">
          <DialogBody>{filters}</DialogBody>
          <div className="border-t border-line p-3">
            <Button variant="primary" className="w-full" onClick={onCloseFilters}>
              Show {count(found)} models
            </Button>
          </div>
        </Dialog>
      )}
      {comparing && compared.length > 1 && (
        <Dialog
          open
          onOpenChange={() => market.change({ comparing: undefined })}
          title={`Compare ${compared.length} models`}
          className="w-[min(64rem,calc(100vw-1rem))]"
        >
          <CompareTable models={compared} />
        </Dialog>
      )}
      {view && (
        <Dialog
          open
          onOpenChange={() => market.change({ view: undefined })}
          title={byId.get(view)?.name ?? view}
          variant="drawer"
        >
          <Suspense fallback={<Skeleton className="mx-4 h-40" />}>
            <ModelPage id={view} />
          </Suspense>
        </Dialog>
      )}
    </Suspense>
  );
}
