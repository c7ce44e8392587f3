import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "@/shared/lib/cn";

const badge = cva(
  "inline-flex items-center gap-1 rounded-sm border px-1.5 text-xs leading-5 whitespace-nowrap [&_svg]:size-3",
  {
    variants: {
      tone: {
        neutral: "border-fg/25 text-muted",
        solid: "border-contrast bg-badge text-badge-fg",
        success: "border-current/40 text-success",
        warning: "border-current/40 text-warning",
        danger: "border-current/40 text-danger",
        special: "border-current/40 text-special",
      },
    },
    defaultVariants: { tone: "neutral" },
  },
);

export function Badge({ tone, className, ...props }: ComponentProps<"span"> & VariantProps<typeof badge>) {
  return <span className={cn(badge({ tone }), className)} {...props} />;
}
