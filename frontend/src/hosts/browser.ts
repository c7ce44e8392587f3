import { type Host, type HostStorage, type HostTheme, type ThemeChoice, type ThemeName, themeNames } from "@/hosts/host";

const THEME_KEY = "marketplace.theme";

/** localStorage, or memory where the browser forbids it (private mode, blocked cookies). */
function browserStorage(): HostStorage {
  const memory = new Map<string, string>();
  const persistent = usableLocalStorage();
  return {
    getItem: (key) => (persistent ? persistent.getItem(key) : (memory.get(key) ?? null)),
    setItem(key, value) {
      memory.set(key, value);
      try {
        persistent?.setItem(key, value);
      } catch {
        // A full disk quota must not lose the click; the value lives on in memory for this page.
      }
    },
    removeItem(key) {
      memory.delete(key);
      persistent?.removeItem(key);
    },
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

export function createBrowserHost(): Host {
  const storage = browserStorage();
  return {
    kind: "browser",
    storage,
    theme: browserTheme(storage),
    apiBase: "",
    openLink: (url) => window.open(url, "_blank", "noopener,noreferrer"),
    async copy(text) {
      try {
        await navigator.clipboard.writeText(text);
        return true;
      } catch {
        return false;
      }
    },
  };
}
