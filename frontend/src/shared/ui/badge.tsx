import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "@/shared/lib/cn";

const badge = cva(
  "inline-flex items-center gap-1 rounded-sm border px-1.5 text-xs leading-5 whitespace-nowrap [&_svg]:size-3",
  {
    variants: {
      tone: {
        neutral: "border-line bg-transparent text-muted",
        solid: "border-contrast bg-badge text-badge-fg",
        success: "border-line text-success",
        warning: "border-line text-warning",
        danger: "border-line text-danger",
        special: "border-line text-special",
      },
    },
    defaultVariants: { tone: "neutral" },
  },
);

export function Badge({ tone, className, ...props }: ComponentProps<"span"> & VariantProps<typeof badge>) {
  return <span className={cn(badge({ tone }), className)} {...props} />;
}
