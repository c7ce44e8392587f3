import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { basisWords, placedQuery } from "@/shared/api/price-quality";
import { useApi } from "@/shared/api/services";
import { count, money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { NativeSelect } from "@/shared/ui/input";
import { LoadFailed } from "@/shared/ui/load-failed";
import { Skeleton } from "@/shared/ui/skeleton";
import { useMarket } from "./market-context";
import { placeOf } from "./place";

const NAMED = 3;

/** Where a model stands by price and quality at a type of task, and what is as good for less. */
export function PlaceSection({ id }: { id: string }) {
  const api = useApi();
  const market = useMarket();
  const [task, setTask] = useState("code_generation");
  const query = useQuery(placedQuery(api, task));
  if (query.isLoading) return <Skeleton className="h-16 w-full" />;
  if (query.isError) return <LoadFailed what="Its place" error={query.error} onRetry={() => void query.refetch()} />;
  const place = query.data && placeOf(query.data.models, id);
  return (
    <div className="flex flex-col items-start gap-1.5 text-sm">
      <NativeSelect aria-label="Type of task" value={task} onChange={({ target }) => setTask(target.value)}>
        {query.data?.tasks.map((name) => (
          <option key={name} value={name}>
            {name.replaceAll("_", " ")}
          </option>
        ))}
      </NativeSelect>
      {place ? (
        <>
          <p>
            Place {count(place.rank)} of {count(place.of)} by quality ({basisWords[place.own.basis] ?? place.own.basis}). A
            call with {count(query.data?.input_tokens ?? 0)} tokens in and its usual answer costs about{" "}
            {place.own.cost === 0 ? "nothing" : money(place.own.cost)}.
          </p>
          <p className="flex flex-wrap items-center gap-1.5 text-muted">
            {place.better.length === 0
              ? "Nothing cheaper is as good."
              : `${count(place.better.length)} at least as good for less:`}
            {place.better.slice(0, NAMED).map(({ model, name, cost }) => (
              <Button key={model} size="sm" onClick={() => market.change({ view: model })}>
                {name}, {cost === 0 ? "free" : money(cost)}
              </Button>
            ))}
          </p>
        </>
      ) : (
        <p className="text-muted">It is not placed: it has no price, or does not chat.</p>
      )}
    </div>
  );
}
