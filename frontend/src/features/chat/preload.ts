/** Fetches the Markdown renderer before the first answer needs it: call it when someone is about to open the chat. */
export function preloadChat(): void {
  void import("./markdown-block");
}
