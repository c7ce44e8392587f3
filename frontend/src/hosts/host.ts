/** What a page, a VS Code webview or a custom element gives to the marketplace's components. Components use nothing global. */

export interface HostStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
  /** Calls back when another tab or window changed `key`; returns the way to stop. */
  subscribe(key: string, listener: () => void): () => void;
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
  readonly theme: HostTheme;
  /** Where the API lives, without a trailing slash; empty for the same origin. */
  readonly apiBase: string;
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
