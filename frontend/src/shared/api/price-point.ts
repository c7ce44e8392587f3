import type { Prices } from "@/shared/api/types";

/** A price of one offer, from a moment on. */
export interface PricePoint {
  offer_id: string;
  effective_at: string;
  as_of: string;
  prices: Prices | null;
  source?: string;
}
