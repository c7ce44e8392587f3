import { type Host, type HostStorage, type HostTheme, type ThemeChoice, type ThemeName, themeNames } from "@/hosts/host";
import { randomId } from "@/shared/lib/random-id";
import { createShelf } from "./shelf";

const THEME_KEY = "marketplace.theme";
const TAB_KEY = "marketplace.tab";

/** localStorage; what does not fit there, or all where the browser forbids it (private mode, blocked cookies), lies in memory. */
function browserStorage(): HostStorage {
  const memory = new Map<string, string>();
  const persistent = usableLocalStorage();
  // What another tab has written since is newer than what did not fit.
  window.addEventListener("storage", ({ key }) => (key === null ? memory.clear() : memory.delete(key)));
  return {
    getItem: (key) => memory.get(key) ?? persistent?.getItem(key) ?? null,
    setItem(key, value) {
      memory.set(key, value);
      try {
        persistent?.setItem(key, value);
        if (persistent) memory.delete(key);
      } catch {
        // The quota is full: an old value must not come back in the place of this one.
        persistent?.removeItem(key);
      }
    },
    removeItem(key) {
      memory.delete(key);
      persistent?.removeItem(key);
    },
    keys: () => [...new Set([...(persistent ? Object.keys(persistent) : []), ...memory.keys()])],
    unkept: () => [...memory.keys()],
    subscribe(key, listener) {
      const onStorage = (event: StorageEvent) => {
        if (event.key === key || event.key === null) listener();
      };
      window.addEventListener("storage", onStorage);
      return () => window.removeEventListener("storage", onStorage);
    },
  };
}

function usableLocalStorage(): Storage | null {
  try {
    window.localStorage.getItem(THEME_KEY);
    return window.localStorage;
  } catch {
    return null;
  }
}

function isChoice(value: string | null): value is ThemeChoice {
  return value === "system" || (themeNames as readonly (string | null)[]).includes(value);
}

/** The theme as `data-theme` on the document's root, so that tokens.css decides all colours. */
function browserTheme(storage: HostStorage): HostTheme {
  const light = window.matchMedia("(prefers-color-scheme: light)");
  const contrast = window.matchMedia("(prefers-contrast: more)");
  const listeners = new Set<() => void>();
  const choice = (): ThemeChoice => {
    const saved = storage.getItem(THEME_KEY);
    return isChoice(saved) ? saved : "system";
  };
  const current = (): ThemeName => {
    const chosen = choice();
    if (chosen !== "system") return chosen;
    if (contrast.matches) return light.matches ? "hc-light" : "hc-dark";
    return light.matches ? "light" : "dark";
  };
  const apply = () => {
    document.documentElement.dataset.theme = current();
    for (const listener of listeners) listener();
  };
  light.addEventListener("change", apply);
  contrast.addEventListener("change", apply);
  storage.subscribe(THEME_KEY, apply);
  apply();
  return {
    current,
    choice,
    choose(next) {
      storage.setItem(THEME_KEY, next);
      apply();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function tabId(): string {
  try {
    const known = sessionStorage.getItem(TAB_KEY) ?? randomId();
    sessionStorage.setItem(TAB_KEY, known);
    return known;
  } catch {
    // No storage at all: the tab is a new one after each reload.
    return randomId();
  }
}

/** Copies by selecting the text in a field of its own: deprecated, and all there is without a secure context. */
function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("aria-hidden", "true");
  area.className = "sr-only";
  // Inside an open dialog, where the focus trap would take the focus back from the body.
  (focused?.closest("[role=dialog]") ?? document.body).append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
  }
}

declare global {
  /** What public/early.js asked for before the page's code had come. */
  var early: { path: string; reply: Promise<Response> } | undefined;
}

/** As `fetch`; the very first request may have been sent already. Its reply is given once, and asked for anew where it failed. */
function fetchOrEarly(url: string, init: RequestInit): Promise<Response> {
  const sent = globalThis.early;
  if (sent?.path !== url || init.method !== "GET" || new Headers(init.headers).has("Authorization")) return fetch(url, init);
  globalThis.early = undefined;
  return sent.reply.catch(() => fetch(url, init));
}

export function createBrowserHost(): Host {
  const storage = browserStorage();
  return {
    kind: "browser",
    storage,
    shelf: createShelf(),
    tab: tabId(),
    theme: browserTheme(storage),
    apiBase: "",
    fetch: fetchOrEarly,
    openLink: (url) => window.open(url, "_blank", "noopener,noreferrer"),
    async copy(text) {
      try {
        await navigator.clipboard.writeText(text);
        return true;
      } catch {
        // No clipboard over plain http (it is for secure contexts only), or it refused: the older way needs neither.
        return copyBySelection(text);
      }
    },
  };
}
