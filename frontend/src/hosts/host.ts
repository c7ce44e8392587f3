/** What a page, a VS Code webview or a custom element gives to the marketplace's components. Components use nothing global. */

export interface HostStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
  keys(): string[];
  /** Those of the keys that can't be kept (a full disk, a private window) and go with the page. */
  unkept(): string[];
  /** Calls back when another tab or window changed `key`; returns the way to stop. */
  subscribe(key: string, listener: () => void): () => void;
}

/** What a shelf keeps: at least an owner and an id. */
export interface ShelfItem {
  /** The account it belongs to; empty while nobody is signed in. */
  owner: string;
  id: string;
}

/** A store for what is too large for `HostStorage`, one record an item. Every method rejects where nothing can be kept. */
export interface HostShelf<T extends ShelfItem = ShelfItem> {
  all(owner: string): Promise<T[]>;
  put(items: readonly T[]): Promise<void>;
  remove(owner: string, ids: readonly string[]): Promise<void>;
  /** Calls back when another tab or window put (item) or removed (null); returns the way to stop. */
  subscribe(listener: (owner: string, id: string, item: T | null) => void): () => void;
}

export const themeNames = ["dark", "light", "hc-dark", "hc-light"] as const;
export type ThemeName = (typeof themeNames)[number];
export type ThemeChoice = ThemeName | "system";

export interface HostTheme {
  /** The theme that is on screen now. */
  current(): ThemeName;
  /** What the user chose; `system` follows the operating system. */
  choice(): ThemeChoice;
  /** Absent where the surrounding editor decides. */
  choose?(choice: ThemeChoice): void;
  subscribe(listener: () => void): () => void;
}

export interface EditorSelection {
  text: string;
  /** For example `src/app.py`; absent for a scratch file. */
  path?: string;
  /** For example `python`. */
  language?: string;
  fromLine: number;
  toLine: number;
}

export interface Host {
  readonly kind: "browser" | "vscode" | "element";
  readonly storage: HostStorage;
  readonly shelf: HostShelf;
  /** Tells this tab or window from the others, over its reloads too. */
  readonly tab: string;
  readonly theme: HostTheme;
  /** Where the API lives, without a trailing slash; empty for the same origin. */
  readonly apiBase: string;
  /** How the server is reached, where that is not the page's own `fetch`: a webview asks its editor, which has the key. */
  fetch?(url: string, init: RequestInit & { method: string }): Promise<Response>;
  openLink(url: string): void;
  /** False when the clipboard refused. */
  copy(text: string): Promise<boolean>;
  /** The three below are absent where there is no editor: hide their buttons then. */
  insertAtCursor?(text: string): void;
  /** Null when nothing is selected. */
  getSelection?(): EditorSelection | null;
  /** Shows `text` as a diff against the selection or the whole file, to accept or reject. */
  proposeEdit?(text: string): void;
}
