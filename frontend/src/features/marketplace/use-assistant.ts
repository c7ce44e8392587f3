import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import type { Priority, Recommendations } from "@/shared/api/types";
import { asApiError } from "./problem-notice";

interface Question {
  task: string;
  priority: Priority;
  /** Conditions read off the words that are not meant, by id. */
  ignore: readonly string[];
  /** Dollars an answer may cost, as typed; empty = no limit. */
  maxCost: string;
}

/** Q Assistant's open question and answer; asked again with other words, another priority, fewer conditions, a budget. */
export function useAssistant() {
  const api = useApi();
  const [question, setQuestion] = useState<Question>({ task: "", priority: "balanced", ignore: [], maxCost: "" });
  const [open, setOpen] = useState(false);
  const { mutate, data, error, isPending, reset } = useMutation({
    mutationFn: ({ task, priority, ignore, maxCost }: Question) =>
      api.post<Recommendations>("/api/v1/marketplace/recommendations", {
        task,
        priority,
        limit: 3,
        ...(ignore.length ? { ignore } : {}),
        ...(maxCost ? { max_cost: maxCost } : {}),
      }),
  });
  const put = (change: Partial<Question>) => {
    const next = { ...question, ...change };
    setQuestion(next);
    if (next.task) mutate(next);
  };
  return {
    task: open ? question.task : null,
    priority: question.priority,
    maxCost: question.maxCost,
    reply: data,
    error: asApiError(error),
    busy: isPending,
    ask(task: string) {
      setOpen(true);
      put({ task, ignore: [] });
    },
    retry: () => put({}),
    prefer: (priority: Priority) => put({ priority }),
    limit: (maxCost: string) => put({ maxCost }),
    drop: (id: string) => put({ ignore: [...question.ignore, id] }),
    close() {
      setOpen(false);
      reset();
    },
  };
}
