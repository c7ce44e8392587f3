import { type RefObject, useEffect, useEffectEvent } from "react";
import { isLong, type TextFile } from "./text-files";

/**
 * A long text that is about to get into the field (dropped, dictated, put in by a program) goes along as a file instead: before
 * the browser lays it out, which for a few megabytes takes minutes.
 */
export function useLongInsert(area: RefObject<HTMLTextAreaElement | null>, onFile: (file: TextFile) => void): void {
  const take = useEffectEvent((event: InputEvent) => {
    if (!event.data || !isLong(event.data)) return;
    event.preventDefault();
    onFile({ name: "Pasted text", text: event.data });
  });
  useEffect(() => {
    const field = area.current;
    const listener = (event: InputEvent) => take(event);
    // Not React's onBeforeInput, which is made of other events.
    field?.addEventListener("beforeinput", listener);
    return () => field?.removeEventListener("beforeinput", listener);
  }, [area]);
}
