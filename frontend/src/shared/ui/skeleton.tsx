import { cn } from "@/shared/lib/cn";

/** A grey bar of the size of what is coming; hidden from assistive technology (the region says `aria-busy`). */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={cn("block animate-pulse rounded bg-hover", className)} />;
}
