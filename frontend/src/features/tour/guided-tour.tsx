import { X } from "lucide-react";
import { useEffect, useEffectEvent, useId, useLayoutEffect, useRef, useState } from "react";
import { useHost } from "@/shared/api/services";
import { Button, IconButton } from "@/shared/ui/button";
import { type Box, placeBeside } from "./place";
import { steps, type TourPlace } from "./steps";
import { firstStep, keepStep } from "./tour-memory";
import { useAnchor } from "./use-anchor";

const RING = 4;

/** Leads through the whole story beside the real elements; the page stays usable meanwhile. `onGo` brings a step's page up. */
export function GuidedTour({ onGo, onClose }: { onGo: (place: TourPlace) => void; onClose: () => void }) {
  const { storage } = useHost();
  const [index, setIndex] = useState(() => firstStep(storage));
  const step = steps[index] ?? steps[0];
  const anchor = useAnchor(step?.anchor ?? "");
  const popover = useRef<HTMLElement>(null);
  const title = useId();
  const last = index === steps.length - 1;

  const go = useEffectEvent(() => step && onGo(step.place));
  // biome-ignore lint/correctness/useExhaustiveDependencies: a step's page is brought up when the step begins, and only then
  useEffect(() => go(), [index]);

  const leave = (how: number | "finished") => {
    keepStep(storage, how);
    onClose();
  };
  const move = (to: number) => {
    if (to < 0) return;
    if (to >= steps.length) return leave("finished");
    keepStep(storage, to);
    setIndex(to);
  };
  useTourKeys(popover, { next: () => move(index + 1), back: () => move(index - 1), close: () => leave(index) });
  useOwnFocus(popover);
  usePlaced(popover, anchor);
  if (!step) return null;
  return (
    <>
      {anchor && <Ring box={anchor} />}
      <section
        ref={popover}
        tabIndex={-1}
        aria-labelledby={title}
        className="fixed z-30 w-80 max-w-[calc(100vw-1rem)] rounded-lg border border-focus bg-raised p-3 text-fg shadow-widget outline-offset-2 hc:border-contrast"
      >
        <div className="flex items-start gap-2">
          <h2 id={title} className="min-w-0 flex-1 text-xs text-muted">
            Guided tour, step {index + 1} of {steps.length}
          </h2>
          <IconButton label="Close the tour" size="sm" title="Close the tour (Escape)" onClick={() => leave(index)}>
            <X aria-hidden />
          </IconButton>
        </div>
        <div aria-live="polite" aria-atomic="true">
          <span className="sr-only">
            Step {index + 1} of {steps.length}:{" "}
          </span>
          <p className="text-base font-semibold">{step.title}</p>
          <p className="mt-1">{step.text}</p>
        </div>
        <div className="mt-3 flex items-center gap-2">
          <Button onClick={() => move(index - 1)} aria-disabled={index === 0} title="Back (←)">
            Back
          </Button>
          <Dots index={index} />
          <Button variant="primary" onClick={() => move(index + 1)} title={last ? undefined : "Next (→)"}>
            {last ? "Done" : "Next"}
          </Button>
        </div>
      </section>
    </>
  );
}

function Dots({ index }: { index: number }) {
  return (
    <span aria-hidden className="flex flex-1 items-center justify-center gap-1">
      {steps.map((step, at) => (
        <span
          key={step.title}
          className={`size-1.5 rounded-full border border-muted ${at <= index ? "bg-muted" : "bg-transparent"}`}
        />
      ))}
    </span>
  );
}

function Ring({ box }: { box: Box }) {
  return (
    <div
      aria-hidden
      className="pointer-events-none fixed z-20 rounded-md outline-2 outline-focus"
      style={{ left: box.left - RING, top: box.top - RING, width: box.width + 2 * RING, height: box.height + 2 * RING }}
    />
  );
}

/** Measured after each drawing, because the words of a step decide how high it is. */
function usePlaced(popover: { current: HTMLElement | null }, anchor: Box | null): void {
  useLayoutEffect(() => {
    const element = popover.current;
    if (!element) return;
    const size = { width: element.offsetWidth, height: element.offsetHeight };
    const spot = placeBeside(anchor, size, { width: window.innerWidth, height: window.innerHeight });
    element.style.left = `${spot.left}px`;
    element.style.top = `${spot.top}px`;
  });
}

/** Arrows and Escape count inside the tour and where nothing else has the focus. */
function useTourKeys(
  popover: { current: HTMLElement | null },
  acts: { next: () => void; back: () => void; close: () => void },
): void {
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
    const target = event.composedPath()[0];
    if (!(target instanceof Node) || !(target === document.body || popover.current?.contains(target))) return;
    const act = { ArrowRight: acts.next, ArrowLeft: acts.back, Escape: acts.close }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  useEffect(() => {
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
}

/** Takes the focus when the tour opens and gives it back when it closes. */
function useOwnFocus(popover: { current: HTMLElement | null }): void {
  useEffect(() => {
    const before = document.activeElement;
    popover.current?.focus({ preventScroll: true });
    return () => {
      const target = before instanceof HTMLElement && before !== document.body && before.isConnected ? before : null;
      (target ?? document.getElementById("main"))?.focus({ preventScroll: true });
    };
  }, [popover]);
}
