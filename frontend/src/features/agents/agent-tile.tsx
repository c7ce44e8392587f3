import { count, money } from "@/shared/lib/format";
import { Badge } from "@/shared/ui/badge";
import { PageLink } from "@/shared/ui/page-link";
import { type Found, feeWords } from "./agents-api";

/** An agent among others: what it does, what it costs, and what those who paid say. */
export function AgentTile({ found, onOpen }: { found: Found; onOpen: () => void }) {
  const { agent, version, figures } = found;
  const { mean, n } = figures.rating;
  return (
    <article className="flex h-full flex-col gap-1 rounded-md border border-line bg-raised px-3 py-2 hc:border-contrast">
      <h3 className="flex items-baseline gap-2">
        <PageLink
          to={`/agents?at=${encodeURIComponent(`${agent.publisher}/${agent.slug}`)}`}
          className="inline-flex min-h-6 items-center font-medium hover:underline"
          onFollow={onOpen}
        >
          {version.spec.name}
        </PageLink>
        <Badge className="ml-auto">{version.spec.category}</Badge>
        {found.new && <Badge tone="special">new</Badge>}
      </h3>
      <p className="text-xs text-muted">by {agent.publisher}</p>
      <p className="line-clamp-3 text-sm">{version.spec.summary}</p>
      <p className="mt-auto text-xs text-muted tabular-nums">
        {feeWords(version.price_now, money)}
        {mean !== null && ` · ${mean.toFixed(1)} of 5 (${count(n)})`}
        {figures.payers > 0 && ` · ${count(figures.payers)} people in 30 days`}
      </p>
    </article>
  );
}
