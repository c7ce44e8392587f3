import { useEffect, useState } from "react";
import { type ApiError, isApiError } from "@/shared/api/errors";
import { Button } from "@/shared/ui/button";
import { Notice } from "@/shared/ui/notice";

/** Words and the next step for a failed call. After a 429 it counts down and tries once by itself. */
export function ProblemNotice({ error, onRetry, className }: { error: ApiError; onRetry: () => void; className?: string }) {
  const waits = error.status === 429 && error.retryAfter !== undefined;
  const [left, setLeft] = useState(() => (waits ? Math.ceil(error.retryAfter ?? 0) : 0));
  useEffect(() => {
    if (!waits) return;
    if (left <= 0) {
      onRetry();
      return;
    }
    const timer = window.setTimeout(() => setLeft(left - 1), 1000);
    return () => window.clearTimeout(timer);
  }, [waits, left, onRetry]);
  return (
    <Notice
      tone={error.code === "offline" || waits ? "warning" : "error"}
      title={titles[error.code] ?? error.message}
      className={className}
      actions={
        <Button size="sm" onClick={onRetry}>
          {waits && left > 0 ? `Try now (by itself in ${left} s)` : "Try again"}
        </Button>
      }
    >
      {error.code in titles && <p>{error.message}</p>}
      {error.requestId && <p className="font-mono text-xs">{error.requestId}</p>}
    </Notice>
  );
}

const titles: Record<string, string> = {
  offline: "You are offline",
  rate_limit_exceeded: "Too many requests just now",
  temporarily_unavailable: "The server is busy or restarting",
};

/** Any thrown thing as an ApiError, so that the panel has one way to speak of failures. */
export function asApiError(error: unknown): ApiError | null {
  if (error === null || error === undefined) return null;
  if (isApiError(error)) return error;
  throw error;
}
