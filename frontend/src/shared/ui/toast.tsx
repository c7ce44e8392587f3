import { Toast as Base } from "@base-ui/react/toast";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { IconButton } from "@/shared/ui/button";

/** Put once round the app. Then `const toast = useToast(); toast({ title: "Copied" })`. */
export function ToastProvider({ children }: { children: ReactNode }) {
  return (
    <Base.Provider timeout={6000} limit={3}>
      {children}
      <Base.Portal>
        <Base.Viewport className="fixed right-4 bottom-10 z-60 flex w-[min(22rem,calc(100vw-2rem))] flex-col gap-2 outline-none max-sm:bottom-20">
          <ToastList />
        </Base.Viewport>
      </Base.Portal>
    </Base.Provider>
  );
}

function ToastList() {
  const { toasts } = Base.useToastManager();
  return toasts.map((toast) => (
    <Base.Root
      key={toast.id}
      toast={toast}
      className="flex items-start gap-2 rounded-md border border-line bg-raised py-1.5 pr-1.5 pl-3 text-fg shadow-widget data-ending-style:hidden"
    >
      <div className="min-w-0 flex-1 py-1">
        <Base.Title className="text-sm font-medium" />
        <Base.Description className="text-sm break-words text-muted" />
        <Base.Action className="mt-1 h-7 text-sm text-link hover:underline empty:hidden" />
      </div>
      <Base.Close render={<IconButton label="Dismiss" size="sm" />}>
        <X aria-hidden />
      </Base.Close>
    </Base.Root>
  ));
}

export interface ToastMessage {
  title: string;
  description?: string;
  action?: { label: string; onClick: () => void };
}

export function useToast(): (message: ToastMessage) => void {
  const manager = Base.useToastManager();
  return ({ title, description, action }) => {
    manager.add({ title, description, actionProps: action && { children: action.label, onClick: action.onClick } });
  };
}
