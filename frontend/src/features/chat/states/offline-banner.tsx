import { WifiOff } from "lucide-react";
import { useSyncExternalStore } from "react";

function watch(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}

export const useOnline = () => useSyncExternalStore(watch, () => navigator.onLine);

export function OfflineBanner() {
  if (useOnline()) return null;
  return (
    <p role="status" className="flex items-center gap-2 border-b border-line bg-raised px-3 py-1.5">
      <WifiOff aria-hidden className="size-4 text-warning" />
      You are offline. Drafts are kept; sending works again when the connection is back.
    </p>
  );
}
