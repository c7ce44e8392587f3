import type { ReactNode } from "react";
import type { Evidence, ModelStats, Offer, Prices } from "@/shared/api/types";
import { cn } from "@/shared/lib/cn";
import { count, day, money, perMillion, tokens } from "@/shared/lib/format";
import { providerName } from "@/shared/lib/names";
import { Badge } from "@/shared/ui/badge";
import { priceClasses } from "./model-facts";

function Table({ label, head, children }: { label: string; head: string[]; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls sideways must be reachable by keyboard
    // biome-ignore lint/a11y/useSemanticElements: a named scroll region round a table
    <div role="region" aria-label={label} tabIndex={0} className="overflow-x-auto rounded border border-line">
      <table className="w-full text-left text-sm">
        <thead className="text-xs text-muted">
          <tr>
            {head.map((cell) => (
              <th key={cell} scope="col" className="px-2 py-1 font-medium whitespace-nowrap">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

const cell = "border-t border-line px-2 py-1 whitespace-nowrap";

/** Dollars per million tokens, every class that is offered; longer inputs may have their own row. */
export function PriceTable({ prices }: { prices: Prices | null }) {
  if (!prices)
    return <p className="text-muted">Nobody publishes its price. It can be called with your own provider key only.</p>;
  const rows = priceClasses.filter(([key]) => prices[key] !== undefined);
  return (
    <Table
      label="Prices"
      head={[
        "Kind",
        "Per 1M tokens",
        ...(prices.tiers ?? []).map((tier) => `Above ${tokens(tier.above_input_tokens)} input`),
      ]}
    >
      {rows.map(([key, label]) => (
        <tr key={key}>
          <th scope="row" className={cn(cell, "font-normal")}>
            {label}
          </th>
          <td className={cn(cell, "font-medium tabular-nums")}>{perMillion(prices[key])}</td>
          {(prices.tiers ?? []).map((tier) => (
            <td key={tier.above_input_tokens} className={cn(cell, "tabular-nums")}>
              {perMillion(tier[key] ?? prices[key])}
            </td>
          ))}
        </tr>
      ))}
      {prices.per_request !== undefined && <Piece label="Each request" price={prices.per_request} />}
      {prices.per_image !== undefined && <Piece label="Each image" price={prices.per_image} />}
    </Table>
  );
}

function Piece({ label, price }: { label: string; price: string }) {
  return (
    <tr>
      <th scope="row" className={cn(cell, "font-normal")}>
        {label}
      </th>
      <td className={cn(cell, "font-medium tabular-nums")}>{money(price)} a piece</td>
    </tr>
  );
}

/** Who offers the model, cheapest first, what can be used now before the rest. */
export function OfferTable({ offers }: { offers: readonly Offer[] }) {
  const blend = (offer: Offer) =>
    Number(offer.prices?.input ?? Number.POSITIVE_INFINITY) * 3 + Number(offer.prices?.output ?? 0);
  const sorted = [...offers].sort((a, b) => Number(b.is_available) - Number(a.is_available) || blend(a) - blend(b));
  if (sorted.length === 0) return <p className="text-muted">Nobody offers it at present.</p>;
  return (
    <Table label="Offers" head={["Provider", "In / 1M", "Out / 1M", "Context", "State", "Price from"]}>
      {sorted.map((offer) => (
        <tr key={offer.id}>
          <th scope="row" className={cn(cell, "font-medium")}>
            {providerName(offer.provider)}
            <span className="block font-mono text-xs font-normal text-muted">{offer.upstream_id}</span>
          </th>
          <td className={cn(cell, "tabular-nums")}>{perMillion(offer.prices?.input)}</td>
          <td className={cn(cell, "tabular-nums")}>{perMillion(offer.prices?.output)}</td>
          <td className={cell}>{tokens(offer.context)}</td>
          <td className={cn(cell, "min-w-24 whitespace-normal")}>
            {offer.is_available ? (
              <Badge tone="success">ready</Badge>
            ) : (
              <span className="text-xs text-muted" title={offer.unavailable_reason ?? undefined}>
                {/\bkey\b/.test(offer.unavailable_reason ?? "")
                  ? "needs a key"
                  : (offer.unavailable_reason ?? "not available")}
              </span>
            )}
          </td>
          <td className={cn(cell, "text-xs text-muted")}>
            {offer.source || "–"}
            {offer.as_of && `, ${day(offer.as_of)}`}
            {offer.price_disputed && <span className="block text-warning">sources disagree; the dearer one counts</span>}
          </td>
        </tr>
      ))}
    </Table>
  );
}

export function EvidenceList({ evidence }: { evidence: readonly Evidence[] }) {
  if (evidence.length === 0) return <p className="text-muted">No public result is known for it.</p>;
  return (
    <Table label="Evidence" head={["Measured", "Score", "Source"]}>
      {evidence.map((item) => (
        <tr key={`${item.label}-${item.source}-${item.as_of}`}>
          <th scope="row" className={cn(cell, "font-normal")}>
            {item.label}
          </th>
          <td className={cn(cell, "font-medium tabular-nums")}>{Number(item.score.toFixed(2))}</td>
          <td className={cn(cell, "text-xs text-muted")}>
            {item.source}, {day(item.as_of)}
          </td>
        </tr>
      ))}
    </Table>
  );
}

export function TrafficFacts({ stats }: { stats: ModelStats }) {
  if (!stats || stats.samples === 0) return <p className="text-muted">No requests yet, so no latency or uptime to show.</p>;
  const { p50, p95 } = stats.first_token_seconds;
  const facts: [string, string][] = [
    ["First token, half of requests", p50 === null ? "–" : `within ${p50.toFixed(2)} s`],
    ["First token, 95 of 100", p95 === null ? "–" : `within ${p95.toFixed(2)} s`],
    ["Speed", stats.tokens_per_second.p50 === null ? "–" : `${Math.round(stats.tokens_per_second.p50)} tokens/s`],
    ["Answered", stats.uptime === null ? "–" : `${(stats.uptime * 100).toFixed(1)} %`],
    ["Requests counted", count(stats.samples)],
  ];
  return (
    <dl className="grid grid-cols-2 gap-x-4 gap-y-1 text-sm sm:grid-cols-3">
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt className="text-xs text-muted">{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
