/** Hatchings, so that series differ without colours: plain, two slants, dots, bars, a grid. */
const drawings = [
  "",
  "M0 8L8 0M-2 2L2 -2M6 10L10 6",
  "M0 0L8 8M-2 6L2 10M6 -2L10 2",
  "M2 2h2v2h-2zM6 6h2v2h-2z",
  "M0 2H8M0 6H8",
  "M0 4H8M4 0V8",
];

const SERIES_LOOKS = drawings.length;

export const lookOf = (index: number) => index % SERIES_LOOKS;

/** The `fill` of a series. */
export const patternUrl = (id: string, index: number) => `url(#${id}-${lookOf(index)})`;

export function Patterns({ id, count }: { id: string; count: number }) {
  return (
    <defs>
      {drawings.slice(0, count).map((drawing, index) => (
        <pattern
          key={drawing}
          id={`${id}-${index}`}
          width="8"
          height="8"
          patternUnits="userSpaceOnUse"
          className={`chart-${index}`}
        >
          <rect width="8" height="8" className="chart-ink" />
          {drawing && <path d={drawing} className="chart-gap" />}
        </pattern>
      ))}
    </defs>
  );
}

/** Which hatching is which series. */
export function Legend({ id, names }: { id: string; names: readonly string[] }) {
  if (names.length < 2) return null;
  return (
    <ul className="mt-1 flex flex-wrap gap-x-4 gap-y-1 text-xs">
      {names.map((name, index) => (
        <li key={name} className="flex min-w-0 items-center gap-1.5">
          <svg width="14" height="14" aria-hidden className="shrink-0">
            <rect width="14" height="14" rx="2" fill={patternUrl(id, index)} />
          </svg>
          <span className="truncate">{name}</span>
        </li>
      ))}
    </ul>
  );
}
