import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/shared/lib/cn";

const looks = {
  info: { icon: Info, colour: "text-link" },
  warning: { icon: TriangleAlert, colour: "text-warning" },
  error: { icon: CircleAlert, colour: "text-danger" },
};

export interface NoticeProps {
  tone?: keyof typeof looks;
  title: string;
  children?: ReactNode;
  /** One or two buttons: the next step. */
  actions?: ReactNode;
  className?: string;
}

/** Something to know, in words, with its next step. Errors are announced. */
export function Notice({ tone = "info", title, children, actions, className }: NoticeProps) {
  const { icon: Icon, colour } = looks[tone];
  return (
    <div
      role={tone === "error" ? "alert" : "status"}
      className={cn("flex gap-2 rounded-md border border-fg/20 bg-raised p-3", className)}
    >
      <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", colour)} />
      <div className="min-w-0 flex-1">
        <p className="font-medium break-words">{title}</p>
        {children && <div className="mt-1 text-muted">{children}</div>}
        {actions && <div className="mt-2 flex flex-wrap gap-2">{actions}</div>}
      </div>
    </div>
  );
}

/** A whole area with nothing in it: what it is for and what to do next. */
export function EmptyState({
  icon,
  title,
  children,
  actions,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="mx-auto flex max-w-sm flex-col items-center gap-2 px-4 py-10 text-center">
      {icon && <div className="text-muted [&_svg]:size-8">{icon}</div>}
      <p className="text-base font-medium">{title}</p>
      {children && <div className="text-muted">{children}</div>}
      {actions && <div className="mt-2 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}
