import { Tabs as Base } from "@base-ui/react/tabs";
import type { ComponentProps } from "react";
import { cn } from "@/shared/lib/cn";

/** Base UI's tabs in VS Code's look: arrow keys move, the underline marks the active one. */
export function Tabs({ className, ...props }: ComponentProps<typeof Base.Root>) {
  return <Base.Root className={cn("flex min-h-0 flex-col", className as string)} {...props} />;
}

export function TabList({ className, ...props }: ComponentProps<typeof Base.List>) {
  return <Base.List className={cn("flex shrink-0 gap-1 border-b border-line", className as string)} {...props} />;
}

export function Tab({ className, ...props }: ComponentProps<typeof Base.Tab>) {
  return (
    <Base.Tab
      className={cn(
        "-mb-px h-9 border-b-2 border-transparent px-3 text-sm text-muted hover:text-fg data-active:border-focus data-active:text-fg pointer-coarse:h-11",
        className as string,
      )}
      {...props}
    />
  );
}

export function TabPanel({ className, ...props }: ComponentProps<typeof Base.Panel>) {
  return <Base.Panel className={cn("min-h-0 flex-1 outline-offset-[-2px]", className as string)} {...props} />;
}
