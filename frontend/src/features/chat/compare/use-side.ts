import { useEffect, useEffectEvent, useState } from "react";
import { resumeRun } from "@/features/chat/talk/chat-api";
import { isRunning, newRun, type Run, reduceRun } from "@/features/chat/talk/run-reducer";
import { readEvents } from "@/features/chat/talk/sse";
import type { ApiClient } from "@/shared/api/client";
import { isApiError } from "@/shared/api/errors";
import { useApi } from "@/shared/api/services";
import type { ComparedAnswer } from "./compare-api";

const AGAIN_MS = 1_000;
const TRIES = 5;

export interface Live {
  run: Run;
  /** When its first words came, ms of `performance.now()`. */
  firstAt: number | null;
}

/** One side as it is: what the server has of it, and while it runs, its stream from the first event on, also after a reload. */
export function useSide(answer: ComparedAnswer, onEnd: () => void): Live | null {
  const api = useApi();
  const [live, setLive] = useState<Live | null>(null);
  const ended = useEffectEvent(onEnd);
  const running = answer.status === "running";
  const { run_id: runId } = answer;
  useEffect(() => {
    if (!running) return;
    const stopped = new AbortController();
    setLive({ run: newRun(runId, ""), firstAt: null });
    void follow(api, runId, stopped.signal, setLive).then(() => {
      if (!stopped.signal.aborted) ended();
    });
    return () => stopped.abort();
  }, [api, runId, running]);
  return live?.run.runId === runId ? live : null;
}

/** Listens until the run has ended; a connection that breaks is opened again where it broke. */
async function follow(api: ApiClient, runId: string, signal: AbortSignal, tell: (live: Live) => void): Promise<void> {
  let run = newRun(runId, "");
  let firstAt: number | null = null;
  for (let tries = 0; tries < TRIES && isRunning(run) && !signal.aborted; tries += 1) {
    try {
      const { body } = await resumeRun(api, runId, run.lastEventId, signal);
      if (!body) return;
      for await (const event of readEvents(body)) {
        if (signal.aborted) return;
        run = reduceRun(run, [event]);
        tries = 0;
        if (firstAt === null && (run.text || run.reasoning)) firstAt = performance.now();
        tell({ run, firstAt });
      }
    } catch (error) {
      // Gone or refused: what the server has stored of it is all there is.
      if (signal.aborted || (isApiError(error) && error.status >= 400 && error.status < 500)) return;
    }
    if (isRunning(run)) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}
