import { moment, money } from "@/shared/lib/format";
import { EmptyState } from "@/shared/ui/notice";
import { PageLink } from "@/shared/ui/page-link";
import { type Comparison, questionText } from "./compare-api";

/** Those of before, newest first. */
export function PastComparisons({
  comparisons,
  onOpen,
}: {
  comparisons: readonly Comparison[];
  onOpen: (id: string) => void;
}) {
  if (comparisons.length === 0) {
    return (
      <EmptyState title="Nothing compared yet">
        Choose two to four models or agents, and ask them all the same. Blind, you see the answers without names, vote, and
        then learn whose they are.
      </EmptyState>
    );
  }
  return (
    <section aria-label="Comparisons of before" className="mx-auto w-full max-w-4xl py-2">
      <h2 className="mb-1 text-sm font-semibold">Before</h2>
      <ul className="flex flex-col">
        {comparisons.map((comparison) => (
          <li key={comparison.id}>
            <PageLink
              to={`/compare?id=${encodeURIComponent(comparison.id)}`}
              className="block rounded px-2 py-1.5 hover:bg-hover pointer-coarse:py-3"
              onFollow={() => onOpen(comparison.id)}
            >
              <span dir="auto" className="block truncate">
                {questionText(comparison) || "(can't be decrypted)"}
              </span>
              <span className="text-xs text-muted">
                {moment(comparison.created_at)} · {comparison.models.join(", ")}
                {comparison.revealed ? ` · ${money(comparison.cost)}` : " · waits for your vote"}
              </span>
            </PageLink>
          </li>
        ))}
      </ul>
    </section>
  );
}
