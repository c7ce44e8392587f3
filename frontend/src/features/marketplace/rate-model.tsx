import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Star } from "lucide-react";
import { useState } from "react";
import { useApi, useSession } from "@/shared/api/services";
import type { Model, ModelDetail } from "@/shared/api/types";
import { cn } from "@/shared/lib/cn";
import { answers, count } from "@/shared/lib/format";
import { thumbReasons } from "@/shared/receipt/receipt";

const STARS = [1, 2, 3, 4, 5];

/** One to five stars by whoever has paid for an answer of this model; everybody else reads why not. */
export function RateModel({ model }: { model: Model }) {
  const api = useApi();
  const client = useQueryClient();
  const { session, token } = useSession();
  const [given, setGiven] = useState(0);
  const rate = useMutation({
    mutationFn: (stars: number) => api.post(`/api/v1/marketplace/models/${encodeURIComponent(model.id)}/rating`, { stars }),
    onSuccess: async (_, stars) => {
      setGiven(stars);
      await client.invalidateQueries({ queryKey: ["model", model.id] });
      await client.invalidateQueries({ queryKey: ["models"] });
    },
  });
  const give = async (stars: number) => {
    if (token || (await session.require("asked"))) rate.mutate(stars);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a row of buttons that each act at once, not a form's fieldset
    <div role="group" aria-label={`Rate ${model.name}`} className="flex flex-wrap items-center gap-1 text-sm">
      <span className="text-muted">Your rating</span>
      {STARS.map((stars) => (
        <button
          key={stars}
          type="button"
          aria-label={`${stars} of 5 stars`}
          aria-pressed={given === stars}
          disabled={rate.isPending}
          className="grid size-7 place-items-center rounded hover:bg-hover pointer-coarse:size-11"
          onClick={() => void give(stars)}
        >
          <Star aria-hidden className={cn("size-4", stars <= given ? "fill-star text-star" : "text-muted")} />
        </button>
      ))}
      <span role="status" className={rate.isError ? "text-danger" : "text-muted"}>
        {rate.isError ? rate.error.message : rate.isSuccess ? "Thank you." : ""}
      </span>
    </div>
  );
}

/** What people with a voice said of single answers, with how many they are. */
export function ThumbsHere({ thumbs }: { thumbs: NonNullable<ModelDetail["thumbs"]> }) {
  const { up, down, users, reasons } = thumbs;
  const why = Object.entries(reasons).map(([reason, times]) => `${thumbReasons[reason] ?? reason} (${count(times)})`);
  return (
    <p className="text-sm text-muted">
      Of {answers(up + down)} judged by {users === 1 ? "one person" : `${count(users)} people`}, {count(up)} good
      {why.length > 0 && `; bad because: ${why.join(", ")}`}
    </p>
  );
}
