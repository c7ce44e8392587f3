/**
 * 128 random bits as 32 hexadecimal digits. `crypto.randomUUID` exists only in secure contexts, and a server of one's own
 * is often reached over plain http on the local network; `getRandomValues` exists everywhere.
 */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
