import { type ReactNode, useState } from "react";
import type { HostStorage } from "@/hosts/host";
import { useMedia } from "@/shared/lib/media";
import { Splitter } from "./splitter";

type LayoutPane = "editor" | "market" | "chat";

const KEY = "marketplace.layout";
const MIN = 280;
const DEFAULTS = { market: 400, chat: 420 };

export interface WorkbenchLayoutProps {
  storage: HostStorage;
  pane: LayoutPane;
  editor: ReactNode;
  market: ReactNode;
  chat: ReactNode;
}

/**
 * Wide: marketplace | editor | chat with splitters. Middle: one dock and the editor. Narrow: the one pane that `pane` names.
 * All three stay mounted, so that nothing is lost when another comes to the front.
 */
export function WorkbenchLayout({ storage, pane, editor, market, chat }: WorkbenchLayoutProps) {
  const wide = useMedia("(min-width: 1150px)");
  const middle = useMedia("(min-width: 768px)");
  const [widths, setWidths] = useState(() => readWidths(storage.getItem(KEY)));
  const resize = (dock: "market" | "chat", width: number) => {
    const next = { ...widths, [dock]: width };
    setWidths(next);
    storage.setItem(KEY, JSON.stringify(next));
  };
  const docked = (dock: "market" | "chat") =>
    wide || (middle ? (pane === "editor" ? dock === "market" : pane === dock) : pane === dock);
  const max = Math.max(MIN, Math.round(window.innerWidth * (wide ? 0.45 : 0.6)));
  const dock = (name: "market" | "chat", content: ReactNode) => (
    <div
      hidden={!docked(name)}
      className={middle ? "min-w-0 shrink-0" : "min-w-0 flex-1"}
      style={middle ? { width: Math.min(widths[name], max) } : undefined}
    >
      {content}
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
        {editor}
      </div>
      {splitter("chat", "Width of the chat", "right")}
      {dock("chat", chat)}
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
