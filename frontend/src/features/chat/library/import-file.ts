/** What one call takes: the server counts arrays and objects, not bytes alone. */
const MAX_BYTES = 4_000_000;
const MAX_PARTS = 15_000;
const MAX_CHATS = 100;
export const MAX_FILE_BYTES = 500_000_000;

/** The chats of an exported file, in parts that a call takes; null: the file holds none. */
export function partsOf(text: string): unknown[][] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const chats = chatsIn(value);
  if (chats.length === 0) return null;
  const parts: unknown[][] = [];
  let bytes = 0;
  let pieces = 0;
  for (const chat of chats) {
    const written = JSON.stringify(chat);
    const more = written.match(/[{[]/g)?.length ?? 0;
    const last = parts.at(-1);
    const full = !last || last.length >= MAX_CHATS || bytes + written.length > MAX_BYTES || pieces + more > MAX_PARTS;
    if (full) {
      parts.push([chat]);
      bytes = 0;
      pieces = 0;
    } else last.push(chat);
    bytes += written.length;
    pieces += more;
  }
  return parts;
}

function chatsIn(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.filter(isChat);
  if (typeof value !== "object" || value === null) return [];
  const inner = (value as { conversations?: unknown }).conversations;
  return Array.isArray(inner) ? inner.filter(isChat) : isChat(value) ? [value] : [];
}

function isChat(value: unknown): boolean {
  return typeof value === "object" && value !== null && ("mapping" in value || "messages" in value || "chat" in value);
}
