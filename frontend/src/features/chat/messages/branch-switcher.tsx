import { ChevronLeft, ChevronRight } from "lucide-react";
import type { Siblings } from "@/features/chat/talk/tree";
import { IconButton } from "@/shared/ui/button";

/** ‹2/3›: the alternatives of one message. */
export function BranchSwitcher({ ids, index, what, onChoose }: Siblings & { what: string; onChoose: (id: string) => void }) {
  if (ids.length < 2) return null;
  const go = (step: number) => {
    const id = ids[index + step];
    if (id) onChoose(id);
  };
  return (
    <fieldset className="inline-flex items-center" aria-label={`Versions of this ${what}`}>
      <IconButton size="sm" label={`Previous ${what}`} aria-disabled={index === 0} onClick={() => go(-1)}>
        <ChevronLeft aria-hidden />
      </IconButton>
      <span className="text-xs text-muted tabular-nums">
        <span className="sr-only">{what} </span>
        {index + 1}/{ids.length}
      </span>
      <IconButton size="sm" label={`Next ${what}`} aria-disabled={index === ids.length - 1} onClick={() => go(1)}>
        <ChevronRight aria-hidden />
      </IconButton>
    </fieldset>
  );
}
