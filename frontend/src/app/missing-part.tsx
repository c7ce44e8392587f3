import { useEffect, useEffectEvent } from "react";
import { Button } from "@/shared/ui/button";
import { EmptyState } from "@/shared/ui/notice";

const ASK_MS = 3000;
const RELOADED_KEY = "marketplace.reloaded-at";
/** A reload that did not help is not done again at once. */
const AGAIN_MS = 30_000;

let missing = false;

/**
 * A page whose code could not be fetched: without a line, or since the server has a new version. The router would reload at once,
 * and without a line that leaves the browser's own error page in the place of ours.
 */
export function watchMissingParts(): void {
  window.addEventListener("vite:preloadError", (event) => {
    event.preventDefault();
    missing = true;
  });
}

export const isPartMissing = (): boolean => missing;

/** Waits for the server, then loads the page anew; the way back leads to what is here already. */
export function MissingPart() {
  const look = useEffectEvent(async () => {
    const there = await fetch("/healthz", { cache: "no-store" }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (there && Date.now() - lastReload() > AGAIN_MS) reload();
  });
  useEffect(() => {
    void look();
    const asking = setInterval(() => void look(), ASK_MS);
    const online = () => void look();
    window.addEventListener("online", online);
    return () => {
      clearInterval(asking);
      window.removeEventListener("online", online);
    };
  }, []);
  return (
    <div role="alert">
      <EmptyState
        title="This page has not come yet"
        actions={
          <Button variant="primary" onClick={() => history.back()}>
            Go back
          </Button>
        }
      >
        <p>There is no connection, or the server is being restarted. It is shown as soon as it can be had.</p>
        <p className="mt-1">Your drafts are kept.</p>
      </EmptyState>
    </div>
  );
}

function lastReload(): number {
  try {
    return Number(sessionStorage.getItem(RELOADED_KEY));
  } catch {
    return 0;
  }
}

function reload(): void {
  try {
    sessionStorage.setItem(RELOADED_KEY, String(Date.now()));
  } catch {
    // No storage: the page asks anew every few seconds at most.
  }
  window.location.reload();
}
