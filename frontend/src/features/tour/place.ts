export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Size {
  width: number;
  height: number;
}

const GAP = 12;
const MARGIN = 8;
const WIDE = 200;

/**
 * Where a popover stands, in pixels: below its anchor, else above, right or left (beside a wide one first, so that what hangs
 * below it stays in sight); where none fits, in the lower right corner.
 */
export function placeBeside(anchor: Box | null, popover: Size, viewport: Size): { left: number; top: number } {
  const most = { left: viewport.width - popover.width - MARGIN, top: viewport.height - popover.height - MARGIN };
  const corner = { left: Math.max(MARGIN, most.left), top: Math.max(MARGIN, most.top) };
  if (!anchor) return corner;
  const between = (value: number, max: number) => Math.max(MARGIN, Math.min(value, max));
  const centred = {
    left: between(anchor.left + anchor.width / 2 - popover.width / 2, most.left),
    top: between(anchor.top + anchor.height / 2 - popover.height / 2, most.top),
  };
  const stacked = [
    { left: centred.left, top: anchor.top + anchor.height + GAP },
    { left: centred.left, top: anchor.top - popover.height - GAP },
  ];
  const beside = [
    { left: anchor.left + anchor.width + GAP, top: centred.top },
    { left: anchor.left - popover.width - GAP, top: centred.top },
  ];
  const fits = (spot: { left: number; top: number }) =>
    spot.left >= MARGIN && spot.left <= most.left && spot.top >= MARGIN && spot.top <= most.top;
  const spots = anchor.width > WIDE ? [...beside, ...stacked] : [...stacked, ...beside];
  return spots.find(fits) ?? corner;
}
