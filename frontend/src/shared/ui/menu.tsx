import { Menu as Base } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";
import { cn } from "@/shared/lib/cn";

export interface MenuProps {
  trigger: ReactElement;
  children: ReactNode;
  align?: "start" | "end";
  /** Open from the start: for a menu that is loaded by the click that wants it. */
  defaultOpen?: boolean;
}

/** A button (`trigger`) that opens a menu of `MenuItem`s. */
export function Menu({ trigger, children, align = "end", defaultOpen }: MenuProps) {
  return (
    <Base.Root defaultOpen={defaultOpen}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} align={align} className="z-50">
          <Base.Popup className="min-w-44 rounded-md border border-line bg-raised p-1 text-sm text-fg shadow-widget outline-none">
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

const item =
  "flex w-full cursor-pointer items-center gap-2 rounded px-2 py-1.5 text-left outline-none select-none data-disabled:cursor-not-allowed data-disabled:opacity-60 data-highlighted:bg-active data-highlighted:text-active-fg pointer-coarse:min-h-11 [&_svg]:size-4";

export function MenuItem(props: { onClick: () => void; disabled?: boolean; danger?: boolean; children: ReactNode }) {
  return (
    <Base.Item disabled={props.disabled} onClick={props.onClick} className={cn(item, props.danger && "text-danger")}>
      {props.children}
    </Base.Item>
  );
}

export function MenuRadioGroup<T extends string>(props: {
  label: string;
  value: T;
  onChange: (value: T) => void;
  options: readonly { value: T; label: string }[];
}) {
  return (
    <Base.Group>
      <Base.GroupLabel className="px-2 pt-1 pb-0.5 text-xs text-muted">{props.label}</Base.GroupLabel>
      <Base.RadioGroup value={props.value} onValueChange={(value: T) => props.onChange(value)}>
        {props.options.map((option) => (
          <Base.RadioItem key={option.value} value={option.value} className={item}>
            <span className="inline-flex w-4 justify-center">
              <Base.RadioItemIndicator>✓</Base.RadioItemIndicator>
            </span>
            {option.label}
          </Base.RadioItem>
        ))}
      </Base.RadioGroup>
    </Base.Group>
  );
}

export function MenuSeparator() {
  return <Base.Separator className="my-1 h-px bg-line" />;
}
