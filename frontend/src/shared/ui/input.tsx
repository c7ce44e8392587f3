import { type ComponentProps, type ReactNode, useId } from "react";
import { cn } from "@/shared/lib/cn";

const field =
  "w-full rounded border border-input-line bg-input text-input-fg disabled:opacity-60 aria-invalid:border-danger focus-visible:border-focus focus-visible:outline-offset-0";

export function Input({ className, ...props }: ComponentProps<"input">) {
  return (
    <input className={cn(field, "h-8 px-2 text-sm pointer-coarse:h-11 pointer-coarse:text-base", className)} {...props} />
  );
}

export function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return (
    <textarea
      dir="auto"
      className={cn(field, "min-h-16 resize-none px-2 py-1.5 text-sm pointer-coarse:text-base", className)}
      {...props}
    />
  );
}

export function NativeSelect({ className, ...props }: ComponentProps<"select">) {
  return (
    <select
      className={cn(field, "h-8 w-auto px-1.5 text-sm pointer-coarse:h-11 pointer-coarse:text-base", className)}
      {...props}
    />
  );
}

export interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string;
  className?: string;
  /** Gets the ids that tie the control to its label, hint and error. */
  children: (control: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": boolean | undefined;
  }) => ReactNode;
}

/** A labelled control with its hint and error in words. */
export function Field({ label, hint, error, className, children }: FieldProps) {
  const id = useId();
  const described = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ") || undefined;
  return (
    <div className={cn("flex flex-col gap-1", className)}>
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children({ id, "aria-describedby": described, "aria-invalid": error ? true : undefined })}
      {hint && (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} role="alert" className="text-xs text-danger">
          {error}
        </p>
      )}
    </div>
  );
}
