import { WifiOff } from "lucide-react";
import { useHost } from "@/shared/api/services";
import { useOnline } from "@/shared/lib/media";

/** Where the chat stands alone in another program; in the browser the page round it says so. */
export function OfflineBanner() {
  const { kind } = useHost();
  if (useOnline() || kind === "browser") return null;
  return (
    <p role="status" className="flex items-center gap-2 border-b border-line bg-raised px-3 py-1.5">
      <WifiOff aria-hidden className="size-4 text-warning" />
      You are offline. Drafts are kept; sending works again when the connection is back.
    </p>
  );
}
