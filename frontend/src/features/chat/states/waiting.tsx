import { useEffect, useState } from "react";
import { Button } from "@/shared/ui/button";

const LONG_MS = 10_000;

/** Between the question and the first word; after ten seconds it says so and offers a way out. */
export function Waiting({ modelName, onStop }: { modelName: string; onStop: () => void }) {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), LONG_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" className="flex min-h-7 flex-wrap items-center gap-2 text-muted">
      <span aria-hidden className="inline-flex gap-1">
        {["", "[animation-delay:150ms]", "[animation-delay:300ms]"].map((delay) => (
          <span key={delay} className={`size-1.5 animate-pulse rounded-full bg-current ${delay}`} />
        ))}
      </span>
      <span className={long ? "" : "sr-only"}>{long ? `Still waiting for ${modelName}.` : `${modelName} is thinking`}</span>
      {long && (
        <Button size="sm" onClick={onStop}>
          Cancel
        </Button>
      )}
    </div>
  );
}
