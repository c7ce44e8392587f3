import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useHost } from "@/shared/api/services";
import { cn } from "@/shared/lib/cn";
import { Button } from "@/shared/ui/button";

/** Copies `text`; `what` names it for those who cannot see where the button stands. */
export function CopyButton({ text, what, iconOnly = false }: { text: string; what: string; iconOnly?: boolean }) {
  const host = useHost();
  const [result, setResult] = useState<"copied" | "failed" | null>(null);
  useEffect(() => {
    if (!result) return;
    const timer = setTimeout(() => setResult(null), 2000);
    return () => clearTimeout(timer);
  }, [result]);
  const words = result === "copied" ? "Copied" : result === "failed" ? "Could not copy" : "Copy";
  return (
    <Button
      variant="ghost"
      size="sm"
      title={`Copy ${what}`}
      aria-label={result ? undefined : `Copy ${what}`}
      className={cn(iconOnly && "h-6 px-1.5 text-muted")}
      onClick={async () => setResult((await host.copy(text)) ? "copied" : "failed")}
    >
      {result === "copied" ? <Check aria-hidden className="size-3.5!" /> : <Copy aria-hidden className="size-3.5!" />}
      <span aria-live="polite" className={iconOnly && !result ? "sr-only" : ""}>
        {words}
      </span>
    </Button>
  );
}
