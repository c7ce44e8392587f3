import { useMutation } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import type { ApiClient } from "@/shared/api/client";
import { isApiError } from "@/shared/api/errors";
import { useApi } from "@/shared/api/services";
import type { Priority, Recommendations } from "@/shared/api/types";
import { asApiError } from "./problem-notice";

interface Question {
  task: string;
  priority: Priority;
}

/** Asks without signing in first; only if the server insists does the sign-in dialog open. */
async function recommend(api: ApiClient, { task, priority }: Question): Promise<Recommendations> {
  const body = { task, priority, limit: 3 };
  const path = "/api/v1/marketplace/recommendations";
  try {
    return await api.post<Recommendations>(path, body, { auth: "background" });
  } catch (error) {
    if (isApiError(error) && error.status === 401) return api.post<Recommendations>(path, body, { auth: "required" });
    throw error;
  }
}

/** Q Assistant's open question and answer; `ask` may be called again with other words or another priority. */
export function useAssistant() {
  const api = useApi();
  const [priority, setPriority] = useState<Priority>("balanced");
  const [task, setTask] = useState<string | null>(null);
  const { mutate, data, error, isPending, reset } = useMutation({
    mutationFn: (question: Question) => recommend(api, question),
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
