import { ApiError, isAbort, isApiError } from "@/shared/api/errors";
import { readEvents, type ServerEvent } from "./sse";

/** Reads an answer's events as they come, handing on at most one batch a frame; returns at its end or where the connection breaks. */
export async function readBatches(
  response: Response,
  nextFrame: (callback: () => void) => void,
  take: (events: readonly ServerEvent[]) => void,
): Promise<void> {
  let queue: ServerEvent[] = [];
  const flush = () => {
    const events = queue;
    queue = [];
    if (events.length) take(events);
  };
  try {
    for await (const event of readEvents(response.body ?? new ReadableStream())) {
      queue.push(event);
      if (queue.length === 1) nextFrame(flush);
      if (event.type === "done" || event.type === "error") break;
    }
  } catch (error) {
    // A broken connection only ends this reading: `follow` decides whether to reattach. A stop is for real.
    if (isAbort(error)) throw error;
  } finally {
    flush();
  }
}

export const connectionLost = () => new ApiError("The connection was lost.", { code: "offline", status: 0 });

export function asApiError(error: unknown): ApiError {
  return isApiError(error) ? error : new ApiError("The page met an unexpected error.", { code: "server", status: 500 });
}

export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopped = () => reject(new DOMException("Stopped", "AbortError"));
    if (signal.aborted) return stopped();
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    const abort = () => {
      clearTimeout(timer);
      stopped();
    };
    signal.addEventListener("abort", abort, { once: true });
  });
}
