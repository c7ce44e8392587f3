import { Shuffle } from "lucide-react";
import { useModelName } from "@/features/chat/models/models";
import type { Fallback } from "@/features/chat/talk/run-reducer";

/** Another model or provider answered than the one asked: said above the answer, by name. */
export function FallbackNote({ fallback }: { fallback: Fallback }) {
  const from = useModelName(fallback.from);
  const to = useModelName(fallback.to);
  return (
    <p className="mb-1 flex items-start gap-1.5 text-xs text-muted">
      <Shuffle aria-hidden className="mt-0.5 size-3.5 shrink-0 text-warning" />
      <span>
        {from} did not answer; {to} answered instead
        {fallback.reason ? ` (${fallback.reason.replaceAll("_", " ")})` : ""}.
      </span>
    </p>
  );
}
