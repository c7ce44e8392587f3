import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useHost } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";

/** Copies `text`; `what` names it for those who cannot see where the button stands. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const host = useHost();
  const [result, setResult] = useState<"copied" | "failed" | null>(null);
  useEffect(() => {
    if (!result) return;
    const timer = setTimeout(() => setResult(null), 2000);
    return () => clearTimeout(timer);
  }, [result]);
  return (
    <Button
      variant="ghost"
      size="sm"
      aria-label={result ? undefined : `Copy ${what}`}
      onClick={async () => setResult((await host.copy(text)) ? "copied" : "failed")}
    >
      {result === "copied" ? <Check aria-hidden /> : <Copy aria-hidden />}
      <span aria-live="polite">{result === "copied" ? "Copied" : result === "failed" ? "Could not copy" : "Copy"}</span>
    </Button>
  );
}
