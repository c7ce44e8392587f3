import { useQuery } from "@tanstack/react-query";
import { firstModelsQuery } from "@/shared/api/queries";
import { useApi } from "@/shared/api/services";
import { cn } from "@/shared/lib/cn";
import { count, day } from "@/shared/lib/format";

const STALE_DAYS = 30;

/** How old the catalogue's prices are; an empty line while they are not known, so that nothing moves when they are. */
export function PricesAge() {
  const api = useApi();
  const { data: prices } = useQuery({ ...firstModelsQuery(api), select: (reply) => reply.prices });
  if (!prices) return <p className="h-4" />;
  const age = prices.age_days === 0 ? "today" : prices.age_days === 1 ? "yesterday" : `${prices.age_days} days ago`;
  const old = prices.old > 0 ? `${count(prices.old)} of ${count(prices.priced)} prices are older than 90 days` : undefined;
  return (
    <p className={cn("h-4 truncate text-xs text-muted", prices.age_days > STALE_DAYS && "text-warning")} title={old}>
      Prices as of {day(prices.as_of)} ({age})
    </p>
  );
}
