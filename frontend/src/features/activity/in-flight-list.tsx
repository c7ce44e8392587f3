import { useEffect, useState } from "react";
import { money } from "@/shared/lib/format";
import { waited } from "@/shared/usage/durations";
import { useNames } from "@/shared/usage/names";
import type { InFlight } from "@/shared/usage/usage-api";

/** Calls that run, each with how long it has been waiting. */
export function InFlightList({ calls }: { calls: readonly InFlight[] }) {
  const name = useNames();
  const now = useNow(calls.length > 0);
  if (calls.length === 0) return null;
  return (
    <section aria-label="In flight" className="rounded-lg border border-line bg-surface p-3">
      <h2 className="font-medium">{calls.length} in flight</h2>
      <ul className="mt-1 flex flex-col gap-1">
        {calls.map((call) => (
          <li key={call.request_id} className="flex flex-wrap gap-x-3 tabular-nums">
            <span>{name("model", call.model)}</span>
            <span className="text-muted">{name("key", call.key_id)}</span>
            <span>{waited(now - Date.parse(call.since))}</span>
            <span className="text-muted">{money(call.held)} held</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function useNow(ticking: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!ticking) return;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}
