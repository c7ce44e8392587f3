import { useEffect, useEffectEvent } from "react";

export const modifier = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl+";

export interface Shortcuts {
  palette: () => void;
  search: () => void;
  help: () => void;
}

/** True where a plain letter is text: inputs, and the editor in its shadow root. */
function isTyping(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/** ⌘K anywhere; `/` and `?` outside text. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    if ((event.metaKey || event.ctrlKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      event.stopPropagation();
      shortcuts.palette();
      return;
    }
    if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event) || document.querySelector('[role="dialog"]'))
      return;
    const act = { "/": shortcuts.search, "?": shortcuts.help }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  useEffect(() => {
    window.addEventListener("keydown", onKeyDown, { capture: true });
    return () => window.removeEventListener("keydown", onKeyDown, { capture: true });
  }, []);
}
