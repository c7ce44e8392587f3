import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { ApiClient } from "@/shared/api/client";
import type { components } from "@/shared/api/schema.gen";
import { useApi } from "@/shared/api/services";
import { money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Field, Input, NativeSelect } from "@/shared/ui/input";
import { Notice } from "@/shared/ui/notice";

type Dispute = components["schemas"]["DisputeOut"];

const whys: Record<Dispute["why"], string> = {
  wrong: "It was wrong",
  empty: "It was empty",
  other_model: "Another model answered",
  not_asked: "It is not what I asked for",
  failed: "It broke off",
};

const dispute = (api: ApiClient, id: string, why: string, words: string) =>
  api.post<{ dispute: Dispute }>(`/api/v1/marketplace/payments/disputes/${id}`, { why, words });

/** Asks for an answer's money back. A written rule decides at once, else an administrator, who sees the receipt and no prompt. */
export function DisputeAnswer({ requestId, cost }: { requestId: string; cost: number }) {
  const api = useApi();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [why, setWhy] = useState<string>("wrong");
  const [words, setWords] = useState("");
  const ask = useMutation({
    mutationFn: () => dispute(api, requestId, why, words),
    onSuccess: ({ dispute: { state } }) => {
      if (state === "granted") void client.invalidateQueries();
    },
  });
  const found = ask.data?.dispute;
  if (found?.state === "granted") return <Notice title={`${money(found.amount)} is back in your balance.`} />;
  if (found?.state === "refused") return <Notice title="It was not given back.">{found.reason}</Notice>;
  if (found) return <Notice title="An administrator will look at it.">What is decided stands in your statement.</Notice>;
  if (!open) {
    return (
      <Button className="self-start" onClick={() => setOpen(true)}>
        Ask for {money(cost)} back…
      </Button>
    );
  }
  return (
    <form
      aria-label="Ask for the money back"
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        ask.mutate();
      }}
    >
      <Field label="What was the matter">
        {(control) => (
          <NativeSelect {...control} className="w-fit" value={why} onChange={(event) => setWhy(event.target.value)}>
            {Object.entries(whys).map(([key, name]) => (
              <option key={key} value={key}>
                {name}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      <Field
        label="In your words"
        hint="An administrator reads this and the receipt, never your question or the answer."
        error={ask.error?.message}
      >
        {(control) => (
          <Input {...control} maxLength={1000} value={words} onChange={(event) => setWords(event.target.value)} />
        )}
      </Field>
      <Button type="submit" variant="primary" className="self-start" busy={ask.isPending}>
        Ask for {money(cost)} back
      </Button>
    </form>
  );
}
