import { useEffect, useState } from "react";
import type { Box } from "./place";

/** Where the element of a selector is on the screen, kept up while the page changes; null while it is not there. */
export function useAnchor(selector: string): Box | null {
  const [box, setBox] = useState<Box | null>(null);
  useEffect(() => {
    let shown: Element | null = null;
    let frame = 0;
    const measure = () => {
      frame = 0;
      const found =
        [...document.querySelectorAll(selector)].findLast((element) => element.getClientRects().length > 0) ?? null;
      if (found && found !== shown) {
        sizes.observe(found);
        found.scrollIntoView({ block: "nearest", inline: "nearest" });
      }
      shown = found;
      const next = found?.getBoundingClientRect() ?? null;
      setBox((before) => (same(before, next) ? before : next));
    };
    const soon = () => {
      frame ||= requestAnimationFrame(measure);
    };
    const sizes = new ResizeObserver(soon);
    const changes = new MutationObserver(soon);
    changes.observe(document.body, {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: ["style", "hidden", "class"],
    });
    window.addEventListener("scroll", soon, { capture: true, passive: true });
    window.addEventListener("resize", soon);
    soon();
    return () => {
      cancelAnimationFrame(frame);
      sizes.disconnect();
      changes.disconnect();
      window.removeEventListener("scroll", soon, { capture: true });
      window.removeEventListener("resize", soon);
    };
  }, [selector]);
  return box;
}

function same(one: Box | null, other: Box | null): boolean {
  if (!one || !other) return one === other;
  return one.left === other.left && one.top === other.top && one.width === other.width && one.height === other.height;
}
