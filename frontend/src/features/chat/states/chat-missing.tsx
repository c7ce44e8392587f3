import { useEffect, useEffectEvent } from "react";
import type { ApiError } from "@/shared/api/errors";
import { useSession } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { Notice } from "@/shared/ui/notice";

interface ChatMissingProps {
  error: ApiError;
  onRetry: () => void;
  onNew: () => void;
}

const titles: Record<number, string> = {
  401: "Sign in to see this chat",
  404: "This chat does not exist any more",
};

/** In the place of a stored chat that can't be shown: why, and the way on. It comes by itself once somebody has signed in. */
export function ChatMissing({ error, onRetry, onNew }: ChatMissingProps) {
  const { token, session } = useSession();
  const { status } = error;
  const retry = useEffectEvent(onRetry);
  useEffect(() => {
    if (token && status === 401) retry();
  }, [token, status]);
  return (
    <div className="flex-1 p-4">
      <Notice
        tone={status === 401 ? "info" : "error"}
        title={titles[status] ?? "This chat could not be loaded"}
        actions={
          <>
            {status === 401 ? (
              <Button variant="primary" onClick={() => void session.require("asked", "signin")}>
                Sign in
              </Button>
            ) : (
              status !== 404 && <Button onClick={onRetry}>Try again</Button>
            )}
            <Button variant={status === 401 ? "secondary" : "primary"} onClick={onNew}>
              New chat
            </Button>
          </>
        }
      >
        {status === 401 ? "Chats are shown to their owner only." : error.message}
      </Notice>
    </div>
  );
}
