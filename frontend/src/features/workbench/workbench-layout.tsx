import { type ReactNode, useState } from "react";
import type { HostStorage } from "@/hosts/host";
import { cn } from "@/shared/lib/cn";
import { useMedia } from "@/shared/lib/media";
import { Splitter } from "./splitter";

type LayoutPane = "editor" | "market" | "chat";

const KEY = "marketplace.layout";
const MIN = 280;
const PANES: readonly LayoutPane[] = ["editor", "market", "chat"];
const DEFAULTS = { market: 400, chat: 420 };

export interface WorkbenchLayoutProps {
  storage: HostStorage;
  pane: LayoutPane;
  onPane: (pane: LayoutPane) => void;
  /** Only the marketplace, over the whole width: nobody has asked for the others. */
  alone?: boolean;
  editor: ReactNode;
  market: ReactNode;
  chat: ReactNode;
}

/**
 * Wide: marketplace | editor | chat with splitters. Middle: one dock and the editor. Narrow: the one pane that `pane` names.
 * A pane that was shown once stays mounted, so that nothing is lost when another comes to the front; on a phone, what was
 * never looked at is never fetched.
 */
export function WorkbenchLayout({ storage, pane, onPane, alone = false, editor, market, chat }: WorkbenchLayoutProps) {
  const wide = useMedia("(min-width: 1150px)");
  const roomy = useMedia("(min-width: 768px)");
  const middle = roomy && !alone;
  const [seen, setSeen] = useState<readonly LayoutPane[]>([]);
  const shown: readonly LayoutPane[] = middle ? PANES : [pane];
  if (!shown.every((name) => seen.includes(name))) setSeen([...seen, ...shown]);
  const [widths, setWidths] = useState(() => readWidths(storage.getItem(KEY)));
  const resize = (dock: "market" | "chat", width: number) => {
    const next = { ...widths, [dock]: width };
    setWidths(next);
    storage.setItem(KEY, JSON.stringify(next));
  };
  const docked = (dock: "market" | "chat") =>
    (wide && !alone) || (middle ? (pane === "editor" ? dock === "market" : pane === dock) : pane === dock);
  const max = Math.max(MIN, Math.round(window.innerWidth * (wide ? 0.45 : 0.6)));
  const dock = (name: "market" | "chat", content: ReactNode) => (
    <div
      hidden={!docked(name)}
      className={middle ? "flex min-w-0 shrink-0 flex-col" : "flex min-w-0 flex-1 flex-col"}
      style={middle ? { width: Math.min(widths[name], max) } : undefined}
    >
      {middle && !wide && <DockSwitch shown={name} onPane={onPane} />}
      <div className="min-h-0 flex-1">{seen.includes(name) && content}</div>
    </div>
  );
  const splitter = (name: "market" | "chat", label: string, side: "left" | "right") =>
    middle &&
    docked(name) && (
      <Splitter
        label={label}
        value={Math.min(widths[name], max)}
        min={MIN}
        max={max}
        side={side}
        onChange={(width) => resize(name, width)}
      />
    );
  return (
    <div className="flex h-full min-h-0">
      {dock("market", market)}
      {splitter("market", "Width of the marketplace", "left")}
      <div hidden={!middle && pane !== "editor"} className="min-w-0 flex-1">
        {seen.includes("editor") && editor}
      </div>
      {splitter("chat", "Width of the chat", "right")}
      {dock("chat", chat)}
    </div>
  );
}

/** Which of the two docks stands beside the editor where there is room for one. */
function DockSwitch({ shown, onPane }: { shown: LayoutPane; onPane: (pane: LayoutPane) => void }) {
  const docks = [
    ["market", "Marketplace"],
    ["chat", "Chat"],
  ] as const;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a row of toggles, not a form's fieldset
    <div role="group" aria-label="Beside the editor" className="flex h-9 shrink-0 border-b border-line bg-surface">
      {docks.map(([name, label]) => (
        <button
          key={name}
          type="button"
          aria-pressed={shown === name}
          onClick={() => onPane(name)}
          className={cn(
            "flex-1 border-b-2 outline-offset-[-2px]",
            shown === name ? "border-focus text-fg" : "border-transparent text-muted hover:text-fg",
          )}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

function readWidths(kept: string | null): typeof DEFAULTS {
  try {
    const value = JSON.parse(kept ?? "{}") as Partial<Record<keyof typeof DEFAULTS, unknown>>;
    const width = (name: keyof typeof DEFAULTS) =>
      typeof value[name] === "number" && value[name] >= MIN ? value[name] : DEFAULTS[name];
    return { market: width("market"), chat: width("chat") };
  } catch {
    // Not ours; the defaults do.
    return DEFAULTS;
  }
}
