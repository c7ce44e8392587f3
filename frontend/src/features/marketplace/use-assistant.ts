import { useMutation } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { useApi } from "@/shared/api/services";
import type { Priority, Recommendations } from "@/shared/api/types";
import { asApiError } from "./problem-notice";

interface Question {
  task: string;
  priority: Priority;
}

/** Q Assistant's open question and answer; `ask` may be called again with other words or another priority. */
export function useAssistant() {
  const api = useApi();
  const [priority, setPriority] = useState<Priority>("balanced");
  const [task, setTask] = useState<string | null>(null);
  const { mutate, data, error, isPending, reset } = useMutation({
    mutationFn: (question: Question) =>
      api.post<Recommendations>("/api/v1/marketplace/recommendations", { ...question, limit: 3 }),
  });
  const ask = useCallback(
    (text: string) => {
      setTask(text);
      mutate({ task: text, priority });
    },
    [mutate, priority],
  );
  return {
    task,
    priority,
    reply: data,
    error: asApiError(error),
    busy: isPending,
    ask,
    retry: useCallback(() => task && mutate({ task, priority }), [mutate, task, priority]),
    prefer: (next: Priority) => {
      setPriority(next);
      if (task) mutate({ task, priority: next });
    },
    close: () => {
      setTask(null);
      reset();
    },
  };
}
