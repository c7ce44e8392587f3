import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { endRun } from "@/features/chat/talk/chat-api";
import { modelsQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import type { ColumnActions } from "./column";
import {
  type Choice,
  type Comparison,
  castVote,
  comparisonQuery,
  continueWith,
  type Question,
  retrySide,
  reveal,
  startComparison,
} from "./compare-api";

interface Ways {
  onOpen: (id: string) => void;
  onConversation: (id: string) => void;
}

/** One comparison and what can be done with it. */
export function useComparison(id: string | null, { onOpen, onConversation }: Ways) {
  const api = useApi();
  const client = useQueryClient();
  const { token } = useSession();
  const query = useQuery(comparisonQuery(api, token, id));
  const catalogue = useQuery(modelsQuery(api)).data;
  const begun = useRef<{ id: string; at: number } | null>(null);

  const keep = ({ comparison }: { comparison: Comparison }) => {
    client.setQueryData(comparisonQuery(api, token, comparison.id).queryKey, { comparison });
    void client.invalidateQueries({ queryKey: ["comparisons"] });
    void client.invalidateQueries({ queryKey: ["balance"] });
  };
  const reload = () => {
    void client.invalidateQueries({ queryKey: ["comparison", token, id] });
    void client.invalidateQueries({ queryKey: ["balance"] });
  };
  const change = useMutation({
    mutationFn: (act: () => Promise<{ comparison: Comparison }>) => act(),
    onSuccess: keep,
    // Refused, for example since it was voted on in another tab: what is true now is shown.
    onError: () => reload(),
  });
  const carry = useMutation({
    mutationFn: (act: () => Promise<{ conversation_id: string }>) => act(),
    onSuccess: (reply) => onConversation(reply.conversation_id),
  });
  const doing = (act: () => Promise<{ comparison: Comparison }>) => change.mutate(act);
  const name = id ?? "";
  const actions: Omit<ColumnActions, "onReceipt"> = {
    onEnd: reload,
    onStop: (runId) => void endRun(api, runId).catch(reload),
    onRetry: (side) => doing(() => retrySide(api, name, side)),
    onContinue: (side) => carry.mutate(() => continueWith(api, name, side)),
  };
  return {
    comparison: query.data,
    loading: query.isLoading,
    problem: query.error?.message ?? null,
    refused: (change.error ?? carry.error)?.message ?? null,
    busy: change.isPending || carry.isPending,
    askedAt: begun.current !== null && begun.current.id === id ? begun.current.at : null,
    actions,
    reload,
    /** Dollars per million output tokens; null = not known. */
    priceOf: (model: string | undefined): number | null => {
      const output = catalogue?.find((each) => each.id === model)?.prices?.output;
      return output === undefined || output === null ? null : Number(output);
    },
    vote: (vote: { vote: Choice; criteria: string[]; reason: string }) => doing(() => castVote(api, name, vote)),
    reveal: () => doing(() => reveal(api, name)),
    /** Whether it was taken. */
    async ask(question: Question): Promise<boolean> {
      const at = performance.now();
      try {
        const reply = await change.mutateAsync(() => startComparison(api, question));
        begun.current = { id: reply.comparison.id, at };
        onOpen(reply.comparison.id);
        return true;
      } catch {
        return false; // told by `refused`
      }
    },
  };
}
