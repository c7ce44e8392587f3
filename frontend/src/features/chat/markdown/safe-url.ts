/** What a link in a model's answer may lead to; `label` is the place it really goes to, for people to see. */
export interface SafeLink {
  href: string;
  label: string;
}

/**
 * Only absolute http, https and mailto addresses; anything else is no link at all. The label comes from the parsed
 * address, so that `https://bank.example@evil.example` shows evil.example, and a look-alike letter shows as xn--.
 */
export function safeLink(address: unknown): SafeLink | null {
  if (typeof address !== "string") return null;
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  if (url.protocol === "mailto:") return { href: url.href, label: decode(url.pathname) };
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  return { href: url.href, label: url.host };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
