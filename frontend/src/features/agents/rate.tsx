import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { Input, NativeSelect } from "@/shared/ui/input";
import { rate } from "./agents-api";

/** Rates an agent by a run. Not inside a form of its own: it stands in the run's. */
export function Rate({ path, run }: { path: string; run: string }) {
  const api = useApi();
  const cache = useQueryClient();
  const [stars, setStars] = useState(5);
  const [words, setWords] = useState("");
  const [said, setSaid] = useState<string | null>(null);
  const send = () =>
    rate(api, path, run, stars, words)
      .then(() => {
        setSaid("Thank you: your rating counts.");
        return cache.invalidateQueries({ queryKey: ["agents", "card"] });
      })
      .catch((error: Error) => setSaid(error.message));
  return (
    <div className="flex flex-wrap items-center gap-2">
      <NativeSelect aria-label="Stars" value={stars} onChange={({ target }) => setStars(Number(target.value))}>
        {[5, 4, 3, 2, 1].map((n) => (
          <option key={n} value={n}>
            {n} of 5
          </option>
        ))}
      </NativeSelect>
      <Input
        aria-label="Words about it"
        placeholder="Words about it (optional)"
        className="max-w-xs flex-1"
        value={words}
        onChange={({ target }) => setWords(target.value)}
      />
      <Button type="button" onClick={() => void send()}>
        Rate
      </Button>
      <span role="status" className="text-xs text-muted">
        {said}
      </span>
    </div>
  );
}
