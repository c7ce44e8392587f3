import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { type ReactNode, type RefObject, useRef, useState } from "react";
import { cn } from "@/shared/lib/cn";
import { Button, IconButton } from "@/shared/ui/button";

export interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  /** `drawer` stands at the right edge, a full sheet on a phone. */
  variant?: "modal" | "drawer";
  /** Shows neither title nor close button (Escape still closes); the title still names the dialog. */
  hideTitle?: boolean;
  initialFocus?: RefObject<HTMLElement | null>;
  className?: string;
  children: ReactNode;
}

const frame = {
  modal:
    "top-[10dvh] left-1/2 max-h-[80dvh] w-[min(32rem,calc(100vw-1rem))] -translate-x-1/2 rounded-lg border max-sm:top-2 max-sm:max-h-[calc(100dvh-1rem)]",
  drawer: "inset-y-0 right-0 w-[min(40rem,100vw)] border-l",
};

/**
 * A modal on Base UI: focus is kept inside and goes back to where it was; Escape closes. A text that was written in it and not
 * handed in does not go with Escape or a click beside it: that is asked first.
 */
export function Dialog({ variant = "modal", ...props }: DialogProps) {
  const popup = useRef<HTMLDivElement>(null);
  const written = useRef<HTMLTextAreaElement | null>(null);
  const [asking, setAsking] = useState(false);
  const leave = () => {
    written.current = null;
    setAsking(false);
    props.onOpenChange(false);
  };
  const close = () => {
    const field = written.current;
    if (!field?.isConnected || !field.value.trim()) leave();
    else if (asking) stay();
    else setAsking(true);
  };
  const stay = () => {
    setAsking(false);
    written.current?.focus();
  };
  return (
    <Base.Root open={props.open} onOpenChange={(open) => (open ? props.onOpenChange(open) : close())}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-black/50" />
        <Base.Popup
          ref={popup}
          initialFocus={props.initialFocus ?? ((how) => how === "touch" || firstField(popup.current))}
          onInput={({ target }) => {
            if (target instanceof HTMLTextAreaElement) written.current = target;
          }}
          onSubmit={() => {
            written.current = null;
          }}
          className={cn(
            "fixed z-50 flex flex-col overflow-hidden border-line bg-raised text-fg shadow-widget outline-none",
            frame[variant],
            props.className,
          )}
        >
          {props.hideTitle ? (
            <Base.Title className="sr-only">{props.title}</Base.Title>
          ) : (
            <header className="flex items-start gap-2 px-4 pt-3 pb-2">
              <div className="min-w-0 flex-1">
                <Base.Title className="truncate text-base font-semibold">{props.title}</Base.Title>
                {props.description && (
                  <Base.Description className="mt-0.5 text-sm text-muted">{props.description}</Base.Description>
                )}
              </div>
              <Base.Close render={<IconButton label="Close" className="-mr-2" />}>
                <X aria-hidden />
              </Base.Close>
            </header>
          )}
          {props.children}
          {asking && (
            <div role="alert" className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-4 py-2">
              <p className="mr-auto">What you wrote is not saved.</p>
              <Button size="sm" variant="danger" onClick={leave}>
                Discard it
              </Button>
              <Button size="sm" variant="primary" autoFocus onClick={stay}>
                Keep writing
              </Button>
            </div>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** What a dialog is filled in at first: whoever opened it by key need not pass the button that closes it. */
function firstField(popup: HTMLElement | null): HTMLElement | true {
  const fields = "textarea, input:not([type=hidden], [type=file], [type=checkbox], [type=radio], [readonly], [disabled])";
  return popup?.querySelector<HTMLElement>(fields) ?? true;
}

/** The scrolling part of a dialog. */
export function DialogBody({ className, children }: { className?: string; children: ReactNode }) {
  return <div className={cn("min-h-0 flex-1 overflow-y-auto px-4 pb-4", className)}>{children}</div>;
}
