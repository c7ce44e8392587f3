import { describe, expect, it } from "vitest";
import { placeBeside } from "./place";

const viewport = { width: 390, height: 800 };
const popover = { width: 320, height: 200 };

const overlap = (
  spot: { left: number; top: number },
  anchor: { left: number; top: number; width: number; height: number },
) =>
  spot.left < anchor.left + anchor.width &&
  spot.left + popover.width > anchor.left &&
  spot.top < anchor.top + anchor.height &&
  spot.top + popover.height > anchor.top;

describe("the tour's popover", () => {
  it("never covers what it speaks of while there is room anywhere beside it", () => {
    for (const top of [0, 100, 300, 560, 760]) {
      const anchor = { left: 10, top, width: 200, height: 40 };
      expect(overlap(placeBeside(anchor, popover, viewport), anchor)).toBe(false);
    }
  });

  it("stays on the screen, whatever its anchor does", () => {
    for (const anchor of [
      null,
      { left: -50, top: -90, width: 20, height: 20 },
      { left: 0, top: 0, width: 390, height: 800 },
    ]) {
      const { left, top } = placeBeside(anchor, popover, viewport);
      expect(left).toBeGreaterThanOrEqual(0);
      expect(top).toBeGreaterThanOrEqual(0);
      expect(left + popover.width).toBeLessThanOrEqual(viewport.width);
      expect(top + popover.height).toBeLessThanOrEqual(viewport.height);
    }
  });
});
