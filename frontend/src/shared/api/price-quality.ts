import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";

/** A priced model's place at a task. cost: of a typical call, dollars; basis `family` or `prior`: inherited, not measured. */
export interface Placed {
  model: string;
  name: string;
  quality: number;
  basis: string;
  cost: number;
  is_available: boolean;
}

export const placedQuery = (api: ApiClient, task: string) =>
  queryOptions({
    queryKey: ["price-quality", task],
    queryFn: ({ signal }) =>
      api.get<{ models: Placed[]; tasks: string[]; input_tokens: number }>("/api/v1/marketplace/price-quality", {
        signal,
        query: { task },
      }),
    staleTime: 5 * 60_000,
  });

/** What a quality rests on, in words. */
export const basisWords: Record<string, string> = {
  measured: "measured",
  proxy: "from related results",
  family: "inherited from its family",
  prior: "guessed from price and age",
};
