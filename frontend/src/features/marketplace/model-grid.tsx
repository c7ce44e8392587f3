import {
  type KeyboardEvent,
  type MouseEvent,
  type RefObject,
  type UIEvent,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { useHost } from "@/shared/api/services";
import type { Model } from "@/shared/api/types";
import { cn } from "@/shared/lib/cn";
import { isPlainClick } from "@/shared/ui/page-link";
import { Skeleton } from "@/shared/ui/skeleton";
import { useMarket } from "./market-context";
import { ModelCard } from "./model-card";

const MIN_WIDTH = 264;
const GAP = 8;
const coarse = () => window.matchMedia("(pointer: coarse)").matches;
/** Pixels; fixed, so that nothing moves when cards come and go. */
const cardHeight = () => (coarse() ? 188 : 150);

const card = "flex flex-col gap-1 rounded-md border border-line bg-raised px-3 py-2 hc:border-contrast";

/** Rows kept above and below what is to be seen. */
const OVERSCAN = 3;
/** Pixels of cards until the element is measured. */
const FIRST_HEIGHT = 800;

/** Columns that fit the element, and its height. */
function useColumns() {
  const ref = useRef<HTMLDivElement>(null);
  const [columns, setColumns] = useState(1);
  const [visible, setVisible] = useState(FIRST_HEIGHT);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () => {
      const style = getComputedStyle(element);
      const width =
        element.clientWidth - Number.parseFloat(style.paddingLeft || "0") - Number.parseFloat(style.paddingRight || "0");
      setColumns(Math.max(1, Math.floor((width + GAP) / (MIN_WIDTH + GAP))));
      if (element.clientHeight > 0) setVisible(element.clientHeight);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, columns, visible };
}

/** The rows to draw, of rows that are all `size` pixels high, and the way to bring one into view. */
function useRows(ref: RefObject<HTMLDivElement | null>, rows: number, size: number, visible: number) {
  const [top, setTop] = useState(0);
  const from = Math.max(0, Math.min(rows, Math.floor(top / size)) - OVERSCAN);
  const to = Math.min(rows, Math.ceil((top + visible) / size) + 1 + OVERSCAN);
  return {
    drawn: Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index),
    onScroll: (event: UIEvent<HTMLDivElement>) => setTop(size * Math.floor(event.currentTarget.scrollTop / size)),
    reveal(row: number) {
      const element = ref.current;
      if (!element) return;
      const [start, end] = [row * size, (row + 1) * size];
      if (start < element.scrollTop) element.scrollTop = start;
      else if (end > element.scrollTop + element.clientHeight) element.scrollTop = end - element.clientHeight;
    },
  };
}

const moves: Record<string, (index: number, columns: number, last: number) => number> = {
  ArrowRight: (index) => index + 1,
  ArrowLeft: (index) => index - 1,
  ArrowDown: (index, columns) => index + columns,
  ArrowUp: (index, columns) => index - columns,
  Home: () => 0,
  End: (_index, _columns, last) => last,
  PageDown: (index, columns) => index + columns * 4,
  PageUp: (index, columns) => index - columns * 4,
};

/** All given models; only the visible rows are in the document. Arrow keys move, Enter chats, Space opens, s x c act. */
export function ModelGrid({ models, label }: { models: readonly Model[]; label: string }) {
  const market = useMarket();
  const host = useHost();
  const { ref, columns, visible } = useColumns();
  const [active, setActive] = useState(0);
  const wantsFocus = useRef(false);
  const rows = Math.ceil(models.length / columns);
  const height = cardHeight();
  const { drawn, onScroll, reveal } = useRows(ref, rows, height + GAP, visible);
  const current = Math.min(active, models.length - 1);

  // A new list begins at its top; the same list keeps its place.
  const first = models[0]?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the first model stands for the whole list
  useEffect(() => {
    setActive(0);
    ref.current?.scrollTo({ top: 0 });
  }, [first]);

  useEffect(() => {
    if (!wantsFocus.current) return;
    const cell = ref.current?.querySelector<HTMLElement>(`[data-index="${current}"]`);
    if (cell) {
      wantsFocus.current = false;
      cell.focus({ preventScroll: true });
    }
  });

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const model = models[current];
    if (!model || event.metaKey || event.ctrlKey || event.altKey) return;
    const move = moves[event.key];
    if (move) {
      const next = Math.max(0, Math.min(models.length - 1, move(current, columns, models.length - 1)));
      event.preventDefault();
      wantsFocus.current = true;
      setActive(next);
      reveal(Math.floor(next / columns));
      return;
    }
    if (!(event.target as HTMLElement).hasAttribute("data-index")) return;
    const acts: Record<string, () => void> = {
      Enter: () => market.use(model),
      " ": () => market.change({ view: model.id }),
      s: () => market.toggleFavourite(model.id),
      x: () => market.toggleCompared(model.id),
      c: () => market.copyId(model.id),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  // A click anywhere on a card but on its own buttons opens the model's page; by the middle button or with Ctrl in a new tab.
  const onClick = (event: MouseEvent<HTMLElement>) => {
    const { target } = event;
    if (!(target instanceof Element) || target.closest("button")) return;
    const cell = target.closest<HTMLElement>("[data-cell]");
    const model = cell && models[Number(cell.dataset.cell)];
    if (!model) return;
    const link = target.closest("a");
    if (link && !isPlainClick(event)) return; // the browser opens it
    if (event.button === 1 || event.ctrlKey || event.metaKey)
      host.openLink(`/marketplace?view=${encodeURIComponent(model.id)}`);
    else market.change({ view: model.id });
  };

  return (
    <div ref={ref} onScroll={onScroll} className="min-h-0 flex-1 overflow-y-auto px-3 pb-3">
      {/* biome-ignore lint/a11y/useSemanticElements: a table cannot be a virtual grid of cards */}
      <div
        role="grid"
        tabIndex={-1}
        aria-label={label}
        aria-rowcount={rows}
        aria-colcount={columns}
        onKeyDown={onKeyDown}
        onClick={onClick}
        onAuxClick={(event) => event.button === 1 && onClick(event)}
        className="relative outline-none"
        style={{ height: rows * (height + GAP) }}
      >
        {drawn.map((row) => (
          // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: a row of the virtual grid; its cells take the focus
          <div
            key={row}
            role="row"
            aria-rowindex={row + 1}
            className="absolute inset-x-0 top-0 grid gap-2"
            style={{
              height,
              transform: `translateY(${row * (height + GAP)}px)`,
              gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
            }}
          >
            {models.slice(row * columns, (row + 1) * columns).map((model, column) => {
              const index = row * columns + column;
              return (
                // biome-ignore lint/a11y/useSemanticElements: as above
                <div
                  key={model.id}
                  role="gridcell"
                  tabIndex={-1}
                  aria-colindex={column + 1}
                  onFocus={() => setActive(index)}
                  data-cell={index}
                  className={cn(
                    card,
                    "cursor-pointer hover:border-focus has-[[data-index]:focus-visible]:border-focus has-[[data-index]:focus-visible]:outline-2 has-[[data-index]:focus-visible]:outline-focus",
                    market.selectedId === model.id && "border-focus",
                    model.retired && "text-muted",
                  )}
                >
                  <ModelCard model={model} index={index} active={index === current} />
                </div>
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}

/** Cards of the real size while the list loads. */
export function ModelGridSkeleton() {
  const { ref, columns } = useColumns();
  const height = cardHeight();
  return (
    <div ref={ref} aria-busy className="min-h-0 flex-1 overflow-hidden px-3 pb-3">
      <p className="sr-only" role="status">
        Loading models…
      </p>
      <div className="grid gap-2" style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
        {Array.from({ length: columns * 6 }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the placeholders are all alike
          <div key={index} className={card} style={{ height }}>
            <Skeleton className="h-5 w-2/3" />
            <Skeleton className="h-3.5 w-1/2" />
            <Skeleton className="mt-1 h-4 w-3/5" />
            <Skeleton className="mt-1 h-5 w-1/3" />
            <Skeleton className="mt-auto h-6 w-full" />
          </div>
        ))}
      </div>
    </div>
  );
}
