import type { Host, HostShelf, HostStorage, HostTheme, ThemeName } from "@/hosts/host";
import { randomId } from "@/shared/lib/random-id";

interface Editor {
  postMessage(message: object): void;
}

declare function acquireVsCodeApi(): Editor;

/** What the extension wrote into the page. `kept`: the storage of earlier days. */
interface Start {
  signedIn: boolean;
  origin: string;
  kept: Record<string, string>;
}

type Told =
  | { kind: "reply"; id: number; status: number; text: string }
  | { kind: "session"; signedIn: boolean; origin: string };

/** Stands for the key, which the page never sees: the extension puts it on what it sends. */
const SIGNED_IN = "editor";
const TOKEN = "token";

export interface WebviewHost extends Host {
  /** The editor signs in: by device code, in the browser. */
  signIn(): void;
  /** Offers a model in the editor's chat. */
  use(model: string): void;
}

/** The host of a side-bar view in VS Code: the extension keeps, fetches, copies and opens. */
export function createWebviewHost(root: HTMLElement): WebviewHost {
  const editor = acquireVsCodeApi();
  const start = JSON.parse(root.dataset.start ?? "{}") as Start;
  const storage = webviewStorage(editor, start);
  const waiting = new Map<number, (told: Extract<Told, { kind: "reply" }>) => void>();
  let last = 0;
  const ask = (message: object) =>
    new Promise<Extract<Told, { kind: "reply" }>>((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      editor.postMessage({ ...message, id: last });
    });
  window.addEventListener("message", ({ data }: MessageEvent<Told>) => {
    if (data.kind === "session") return storage.told(TOKEN, data.signedIn ? SIGNED_IN : null);
    waiting.get(data.id)?.(data);
    waiting.delete(data.id);
  });
  return {
    kind: "vscode",
    storage,
    shelf: noShelf,
    tab: randomId(),
    theme: webviewTheme(),
    apiBase: start.origin,
    async fetch(url, { method, body }) {
      const path = url.startsWith(start.origin) ? url.slice(start.origin.length) : url;
      const { status, text } = await ask({ kind: "fetch", method, path, body: typeof body === "string" ? body : undefined });
      if (status === 0) throw new TypeError(text);
      return new Response(text, { status });
    },
    openLink: (url) => editor.postMessage({ kind: "open", url: new URL(url, start.origin).href }),
    async copy(text) {
      return (await ask({ kind: "copy", text })).status === 200;
    },
    signIn: () => editor.postMessage({ kind: "signIn" }),
    use: (model) => editor.postMessage({ kind: "use", model }),
  };
}

function webviewStorage(editor: Editor, start: Start): HostStorage & { told(key: string, value: string | null): void } {
  const kept = new Map(Object.entries(start.kept));
  if (start.signedIn) kept.set(TOKEN, SIGNED_IN);
  const listeners = new Map<string, Set<() => void>>();
  const keep = (key: string, value: string | null) => {
    // Signed in or not is the extension's to say, and nothing to keep.
    if (key !== TOKEN) editor.postMessage({ kind: "keep", key, value });
  };
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem(key, value) {
      kept.set(key, value);
      keep(key, value);
    },
    removeItem(key) {
      kept.delete(key);
      keep(key, null);
    },
    keys: () => [...kept.keys()],
    unkept: () => [],
    subscribe(key, listener) {
      const mine = listeners.get(key) ?? new Set();
      listeners.set(key, mine.add(listener));
      return () => mine.delete(listener);
    },
    told(key, value) {
      if (value === null) kept.delete(key);
      else kept.set(key, value);
      for (const listener of listeners.get(key) ?? []) listener();
    },
  };
}

/** The side bar has no files of its own: the editor has them. */
const noShelf: HostShelf = {
  all: () => Promise.resolve([]),
  put: () => Promise.reject(new Error("The editor keeps the files.")),
  remove: () => Promise.resolve(),
  subscribe: () => () => undefined,
};

/** The user's own theme: its colours are on the page, its kind is a class of the body. */
function webviewTheme(): HostTheme {
  const listeners = new Set<() => void>();
  const current = (): ThemeName => {
    const { classList } = document.body;
    if (classList.contains("vscode-high-contrast-light")) return "hc-light";
    if (classList.contains("vscode-high-contrast")) return "hc-dark";
    return classList.contains("vscode-light") ? "light" : "dark";
  };
  const apply = () => {
    document.documentElement.dataset.theme = current();
    for (const listener of listeners) listener();
  };
  new MutationObserver(apply).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  apply();
  return {
    current,
    choice: () => "system",
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
