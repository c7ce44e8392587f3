import type { Placed } from "@/shared/api/price-quality";

export interface Place {
  own: Placed;
  /** 1 = the best; models of the same quality share a place. */
  rank: number;
  of: number;
  /** Others that are at least as good for less, the cheapest first. */
  better: Placed[];
}

/** Where a model stands among all that are placed at a task; null: it is not among them. */
export function placeOf(models: readonly Placed[], id: string): Place | null {
  const own = models.find(({ model }) => model === id);
  if (!own) return null;
  const better = models
    .filter(({ model, quality, cost }) => model !== id && quality >= own.quality && cost < own.cost)
    .sort((a, b) => a.cost - b.cost);
  return { own, rank: models.filter(({ quality }) => quality > own.quality).length + 1, of: models.length, better };
}
