import { type KeyboardEvent, type PointerEvent, useRef } from "react";

export interface SplitterProps {
  label: string;
  /** Pixels. */
  value: number;
  min: number;
  max: number;
  /** Which side of the splitter the sized pane stands on. */
  side: "left" | "right";
  onChange: (width: number) => void;
}

const STEP = 24;

/** A vertical bar between two panes: drag it, or focus it and use the arrow keys, Home and End. A double click restores the default. */
export function Splitter({ label, value, min, max, side, onChange }: SplitterProps) {
  const start = useRef<{ x: number; value: number } | null>(null);
  const sign = side === "left" ? 1 : -1;
  const clamp = (width: number) => Math.round(Math.max(min, Math.min(max, width)));
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowRight: value + STEP * sign,
      ArrowLeft: value - STEP * sign,
      Home: min,
      End: max,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    onChange(clamp(next));
  };
  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    start.current = { x: event.clientX, value };
  };
  const onPointerMove = (event: PointerEvent) => {
    if (start.current) onChange(clamp(start.current.value + (event.clientX - start.current.x) * sign));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a focusable separator has no element of its own
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => {
        start.current = null;
      }}
      className="group relative z-10 -mx-[3px] w-[7px] shrink-0 cursor-col-resize touch-none focus-visible:outline-none"
    >
      <span className="absolute inset-y-0 left-[3px] w-px bg-line group-hover:w-0.5 group-hover:bg-focus group-focus-visible:w-1 group-focus-visible:bg-focus" />
    </div>
  );
}
