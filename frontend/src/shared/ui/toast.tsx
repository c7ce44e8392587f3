import { X } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { IconButton } from "@/shared/ui/button";

const SHOWN_MS = 6000;
const MOST = 3;

export interface ToastMessage {
  title: string;
  description?: string;
  action?: { label: string; onClick: () => void };
}

const ToastContext = createContext<((message: ToastMessage) => void) | null>(null);

/** Put once round the app. Then `const toast = useToast(); toast({ title: "Copied" })`. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly (ToastMessage & { id: number })[]>([]);
  const last = useRef(0);
  const add = useCallback((message: ToastMessage) => {
    last.current += 1;
    const id = last.current;
    setToasts((before) => [...before, { ...message, id }].slice(-MOST));
  }, []);
  const remove = useCallback((id: number) => setToasts((before) => before.filter((toast) => toast.id !== id)), []);
  return (
    <ToastContext.Provider value={add}>
      {children}
      {createPortal(
        // Always in the document, so that what comes into it is announced.
        <section
          aria-label="Notifications"
          aria-live="polite"
          aria-relevant="additions"
          className="fixed right-4 bottom-10 z-60 flex w-[min(22rem,calc(100vw-2rem))] flex-col gap-2 max-sm:bottom-20"
        >
          {toasts.map((toast) => (
            <Toast key={toast.id} toast={toast} onClose={() => remove(toast.id)} />
          ))}
        </section>,
        document.body,
      )}
    </ToastContext.Provider>
  );
}

/** Goes by itself, but not while a hand or the focus is on it. */
function Toast({ toast: { title, description, action }, onClose }: { toast: ToastMessage; onClose: () => void }) {
  const [held, setHeld] = useState(false);
  const close = useRef(onClose);
  useEffect(() => {
    close.current = onClose;
  });
  useEffect(() => {
    if (held) return;
    const timer = window.setTimeout(() => close.current(), SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [held]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only waits while somebody reads
    <div
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      className="flex items-start gap-2 rounded-md border border-line bg-raised py-1.5 pr-1.5 pl-3 text-fg shadow-widget"
    >
      <div className="min-w-0 flex-1 py-1">
        <p className="text-sm font-medium">{title}</p>
        {description && <p className="text-sm break-words text-muted">{description}</p>}
        {action && (
          <button
            type="button"
            className="mt-1 h-7 text-sm text-link hover:underline"
            onClick={() => {
              onClose();
              action.onClick();
            }}
          >
            {action.label}
          </button>
        )}
      </div>
      <IconButton label="Dismiss" size="sm" onClick={onClose}>
        <X aria-hidden />
      </IconButton>
    </div>
  );
}

export function useToast(): (message: ToastMessage) => void {
  const toast = useContext(ToastContext);
  if (!toast) throw new Error("Wrap this component in ToastProvider");
  return toast;
}
