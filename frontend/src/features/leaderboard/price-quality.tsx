import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { basisWords, placedQuery } from "@/shared/api/price-quality";
import { useApi } from "@/shared/api/services";
import { frontier, Scatter } from "@/shared/charts/scatter";
import { count, money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { NativeSelect } from "@/shared/ui/input";
import { LoadFailed } from "@/shared/ui/load-failed";
import { Skeleton } from "@/shared/ui/skeleton";

/** As many as a comparison asks. */
const MOST = 4;

/** Every priced model by what a typical call costs and how good it is at a task. */
export function PriceQuality({
  onOpen,
  onCompare,
}: {
  onOpen: (model: string) => void;
  onCompare: (models: string[]) => void;
}) {
  const api = useApi();
  const [task, setTask] = useState("code_generation");
  const [usable, setUsable] = useState(false);
  const [picking, setPicking] = useState(false);
  const [picked, setPicked] = useState<readonly string[]>([]);
  const query = useQuery(placedQuery(api, task));
  const found = query.data;
  const models = (found?.models ?? [])
    .filter(({ cost, is_available }) => cost > 0 && (!usable || is_available))
    .sort((a, b) => a.cost - b.cost || b.quality - a.quality);
  const points = models.map(({ name, model, cost, quality, basis }) => ({
    name: models.filter((other) => other.name === name).length > 1 ? model : name,
    x: cost,
    y: quality,
    inherited: basis === "family" || basis === "prior",
    note: basisWords[basis] ?? basis,
  }));
  const pick = (model: string | undefined) => {
    if (!model) return;
    if (!picking) return onOpen(model);
    setPicked((before) =>
      before.includes(model) ? before.filter((each) => each !== model) : [...before, model].slice(-MOST),
    );
  };
  const best = frontier(points).map((index) => points[index]?.name);
  return (
    <section aria-label="Price against quality" className="flex flex-col gap-2 rounded-lg border border-line bg-surface p-4">
      <div className="flex flex-wrap items-center gap-3">
        <NativeSelect aria-label="Task" value={task} onChange={({ target }) => setTask(target.value)}>
          {(found?.tasks ?? [task]).map((name) => (
            <option key={name} value={name}>
              {name.replaceAll("_", " ")}
            </option>
          ))}
        </NativeSelect>
        <label className="flex items-center gap-1.5 text-sm">
          <input type="checkbox" checked={usable} onChange={({ target }) => setUsable(target.checked)} />
          Only what can be used now
        </label>
        <label className="flex items-center gap-1.5 text-sm">
          <input type="checkbox" checked={picking} onChange={({ target }) => setPicking(target.checked)} />
          Choose models to compare
        </label>
        {picking && (
          <span role="status" className="flex flex-wrap items-center gap-2 text-sm">
            {picked.length > 0 ? picked.join(", ") : `Choose two to ${MOST} points.`}
            {picked.length > 1 && (
              <Button size="sm" variant="primary" onClick={() => onCompare([...picked])}>
                Compare these
              </Button>
            )}
          </span>
        )}
      </div>
      {found ? (
        <Scatter
          title="Price against quality"
          sentence={`${count(points.length)} models at ${task.replaceAll("_", " ")}: a call with ${count(found.input_tokens)} tokens in and its usual answer. Nothing as cheap is better than ${best.slice(-5).join(", ") || "–"}. Hollow: inherited, not measured.`}
          xName="Cost of a call"
          yName="Quality"
          points={points}
          formatX={money}
          onPick={(index) => pick(models[index]?.model)}
        />
      ) : query.isError ? (
        <LoadFailed what="Price and quality" error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Skeleton className="h-80" />
      )}
    </section>
  );
}
