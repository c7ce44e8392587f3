import { useEffect, useEffectEvent } from "react";

/** Files that are dropped anywhere on the page: one that misses the text field is meant for it all the same. */
export function useDrops(onFiles: (files: readonly File[]) => void): void {
  const drop = useEffectEvent((event: DragEvent) => {
    event.preventDefault();
    if (event.type === "drop") onFiles([...(event.dataTransfer?.files ?? [])]);
  });
  useEffect(() => {
    const listener = (event: DragEvent) => {
      // The editor beside the chat takes what is dropped on it.
      if (!event.defaultPrevented && event.dataTransfer?.types.includes("Files")) drop(event);
    };
    document.addEventListener("dragover", listener);
    document.addEventListener("drop", listener);
    return () => {
      document.removeEventListener("dragover", listener);
      document.removeEventListener("drop", listener);
    };
  }, []);
}
