import { Button } from "@/shared/ui/button";
import { Notice } from "@/shared/ui/notice";

interface LoadFailedProps {
  /** What is missing, as the sentence begins: "Your keys". */
  what: string;
  error: Error | null;
  onRetry: () => void;
  className?: string;
}

/** Something could not be loaded: why, and the next try. */
export function LoadFailed({ what, error, onRetry, className }: LoadFailedProps) {
  return (
    <Notice
      tone="error"
      title={`${what} could not be loaded`}
      className={className}
      actions={<Button onClick={onRetry}>Try again</Button>}
    >
      {error?.message}
    </Notice>
  );
}
