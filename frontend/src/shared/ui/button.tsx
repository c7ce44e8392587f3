import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "@/shared/lib/cn";

const button = cva(
  "inline-flex shrink-0 items-center justify-center gap-1.5 rounded border font-medium whitespace-nowrap select-none disabled:cursor-not-allowed disabled:opacity-60 aria-disabled:cursor-not-allowed aria-disabled:opacity-60 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      variant: {
        primary: "border-button-line bg-accent text-accent-fg enabled:hover:bg-accent-hover",
        secondary: "border-button-line bg-secondary text-secondary-fg enabled:hover:bg-secondary-hover",
        ghost: "border-transparent bg-transparent text-fg enabled:hover:bg-hover hc:enabled:hover:border-contrast",
        danger: "border-danger bg-transparent text-danger enabled:hover:bg-hover",
        link: "border-transparent bg-transparent px-0! text-link enabled:hover:underline",
      },
      size: {
        sm: "h-7 px-2 text-xs pointer-coarse:h-11",
        md: "h-8 px-3 text-sm pointer-coarse:h-11",
        lg: "h-10 px-4 text-base pointer-coarse:h-11",
      },
    },
    defaultVariants: { variant: "secondary", size: "md" },
  },
);

export type ButtonProps = ComponentProps<"button"> & VariantProps<typeof button> & { busy?: boolean };

/** `busy` keeps the focus and the name, and stops a second click. */
export function Button({ variant, size, busy, className, type = "button", onClick, ...props }: ButtonProps) {
  return (
    <button
      type={type}
      aria-busy={busy || undefined}
      aria-disabled={busy || props["aria-disabled"]}
      className={cn(button({ variant, size }), className)}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      {...props}
    />
  );
}

export type IconButtonProps = Omit<ButtonProps, "aria-label" | "size"> & { label: string; size?: "sm" | "md" };

/** A square button with an icon; `label` is its name and its native tooltip. */
export function IconButton({ label, className, variant = "ghost", size = "md", title, ...props }: IconButtonProps) {
  const square = size === "sm" ? "size-6 p-0 pointer-coarse:size-11" : "size-8 p-0 pointer-coarse:size-11";
  return <Button variant={variant} aria-label={label} title={title ?? label} className={cn(square, className)} {...props} />;
}
