import { preloadMarkdown } from "./markdown/markdown";

/** Fetches what the first answer will need: call it when someone is about to open the chat. */
export function preloadChat(): void {
  preloadMarkdown().catch(() => {
    // Without it the first answer loads the renderer itself.
  });
}
