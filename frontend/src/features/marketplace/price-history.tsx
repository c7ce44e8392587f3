import type { PricePoint } from "@/shared/api/price-point";
import { day, perMillion } from "@/shared/lib/format";

const SHOWN = 20;

/** How the prices of a model's offers changed since this server knows them, newest first. */
export function PriceHistory({ points }: { points: readonly PricePoint[] }) {
  const changed = new Set(
    points.map(({ offer_id }) => offer_id).filter((offer, index, all) => all.indexOf(offer) !== index),
  );
  const shown = points.filter(({ offer_id }) => changed.has(offer_id)).slice(0, SHOWN);
  const first = points.at(-1);
  if (shown.length === 0) {
    return (
      <p className="text-sm text-muted">
        {first ? `No change since ${day(first.effective_at)}, when this server first knew it.` : "None is known."}
      </p>
    );
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard.
    <section aria-label="Price history" tabIndex={0} className="overflow-x-auto">
      <table className="w-full text-sm tabular-nums">
        <thead className="text-left text-muted">
          <tr>
            <th className="font-normal">From</th>
            <th className="font-normal">Offer</th>
            <th className="font-normal">In per 1M</th>
            <th className="font-normal">Out per 1M</th>
            <th className="font-normal">Source</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ offer_id, effective_at, prices, source }) => (
            <tr key={`${offer_id} ${effective_at}`}>
              <td>{day(effective_at)}</td>
              <td>{offer_id}</td>
              <td>{perMillion(prices?.input)}</td>
              <td>{perMillion(prices?.output)}</td>
              <td>{source}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
