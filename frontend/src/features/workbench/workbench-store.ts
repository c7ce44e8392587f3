import { createStore, type StoreApi } from "zustand/vanilla";
import type { EditorSelection, HostStorage } from "@/hosts/host";
import { languageOf, type OpenedFile } from "./files";

export interface WorkFile {
  id: string;
  name: string;
  language: string;
  /** What was last saved or opened; the file is dirty when the text differs. */
  saved: string;
  text: string;
  handle?: FileSystemFileHandle;
}

/** Code that a model proposed, shown as a diff until it is accepted or rejected. */
interface Proposal {
  fileId: string;
  original: string;
}

export interface WorkbenchState {
  files: WorkFile[];
  activeId: string;
  proposal: Proposal | null;
  cursor: { line: number; column: number; selected: number };
}

/** The mounted editor, as far as the store needs it. */
export interface EditorPort {
  insert(text: string): void;
  selection(): { text: string; fromLine: number; toLine: number } | null;
  /** Replaces the whole text, as one undoable step. */
  replace(text: string): void;
  /** The text with `replacement` in place of the selection, or in place of everything if nothing is selected. */
  withSelectionReplaced(replacement: string): string;
  focus(): void;
}

const KEY = "marketplace.workbench";
/** Characters kept over a reload; a larger workspace is not kept. */
const MAX_KEPT = 1_000_000;
const SAVE_DELAY_MS = 400;

const welcome = `# A scratch file, kept in this browser.
#
# 1. Pick a model on the left, or describe your
#    task and ask Q Assistant for one.
# 2. Select code here and ask about it in the chat.
# 3. Put the answer in at the cursor, or look at
#    it as a diff first.
#
# Ctrl+K (Cmd+K): every command.  ?: all keys.


def greet(name: str) -> str:
    return f"Hello, {name}"
`;

let serial = 0;
const newId = () => `f${Date.now().toString(36)}${(serial++).toString(36)}`;

/** The open files and what is being done to them. Knows nothing of CodeMirror, so that it costs nothing before the editor is there. */
export class Workbench {
  readonly store: StoreApi<WorkbenchState>;
  private port: EditorPort | null = null;
  private pending: ((port: EditorPort) => void)[] = [];
  private saving: number | undefined;
  /** Called when something needs the editor and it is not on the page. */
  onNeedEditor: () => void = () => {};

  constructor(private readonly storage: HostStorage) {
    this.store = createStore<WorkbenchState>()(() => ({
      ...this.restore(),
      proposal: null,
      cursor: { line: 1, column: 1, selected: 0 },
    }));
  }

  attach(port: EditorPort): () => void {
    this.port = port;
    for (const act of this.pending.splice(0)) act(port);
    return () => {
      if (this.port === port) this.port = null;
    };
  }

  get active(): WorkFile | undefined {
    const { files, activeId } = this.store.getState();
    return files.find((file) => file.id === activeId);
  }

  open(opened: readonly OpenedFile[]): void {
    const files = opened.map(({ name, text, handle }) => ({
      id: newId(),
      name,
      language: languageOf(name),
      saved: text,
      text,
      handle,
    }));
    const last = files.at(-1);
    if (!last) return;
    this.set({ files: [...this.store.getState().files, ...files], activeId: last.id, proposal: null });
  }

  newScratch(): void {
    const names = new Set(this.store.getState().files.map(({ name }) => name));
    let number = 1;
    while (names.has(`scratch-${number}.py`)) number++;
    this.open([{ name: `scratch-${number}.py`, text: "" }]);
  }

  activate(id: string): void {
    this.set({ activeId: id, proposal: null });
  }

  close(id: string): void {
    const { files, activeId } = this.store.getState();
    const index = files.findIndex((file) => file.id === id);
    const rest = files.filter((file) => file.id !== id);
    const next = activeId === id ? (rest[Math.min(index, rest.length - 1)]?.id ?? "") : activeId;
    this.set({ files: rest, activeId: next, proposal: null });
    if (rest.length === 0) this.newScratch();
  }

  edit(id: string, text: string): void {
    this.set({ files: this.store.getState().files.map((file) => (file.id === id ? { ...file, text } : file)) });
  }

  rename(id: string, name: string): void {
    this.set({
      files: this.store
        .getState()
        .files.map((file) => (file.id === id ? { ...file, name, language: languageOf(name) } : file)),
    });
  }

  markSaved(id: string, text: string, handle?: FileSystemFileHandle): void {
    const name = handle?.name;
    this.set({
      files: this.store
        .getState()
        .files.map((file) =>
          file.id === id
            ? { ...file, saved: text, handle, name: name ?? file.name, language: languageOf(name ?? file.name) }
            : file,
        ),
    });
  }

  insertAtCursor = (text: string): void => {
    this.withPort((port) => {
      port.insert(text);
      port.focus();
    });
  };

  getSelection = (): EditorSelection | null => {
    const selection = this.port?.selection();
    const file = this.active;
    return selection && file ? { ...selection, path: file.name, language: file.language } : null;
  };

  proposeEdit = (text: string): void => {
    this.withPort((port) => {
      const file = this.active;
      if (!file) return;
      const proposed = port.withSelectionReplaced(text);
      if (proposed === file.text) return;
      const original = this.store.getState().proposal?.original ?? file.text;
      this.set({ proposal: { fileId: file.id, original } });
      port.replace(proposed);
      port.focus();
    });
  };

  accept(): void {
    this.set({ proposal: null });
    this.port?.focus();
  }

  reject(): void {
    const { proposal } = this.store.getState();
    if (!proposal) return;
    this.set({ proposal: null });
    this.port?.replace(proposal.original);
    this.port?.focus();
  }

  moveCursor(cursor: WorkbenchState["cursor"]): void {
    this.store.setState({ cursor });
  }

  private withPort(act: (port: EditorPort) => void): void {
    this.onNeedEditor();
    if (this.port) act(this.port);
    else this.pending.push(act);
  }

  private set(patch: Partial<WorkbenchState>): void {
    this.store.setState(patch);
    window.clearTimeout(this.saving);
    this.saving = window.setTimeout(() => this.keep(), SAVE_DELAY_MS);
  }

  private keep(): void {
    const { files, activeId } = this.store.getState();
    const kept = JSON.stringify({ activeId, files: files.map(({ handle: _handle, ...file }) => file) });
    if (kept.length <= MAX_KEPT) this.storage.setItem(KEY, kept);
  }

  private restore(): Pick<WorkbenchState, "files" | "activeId"> {
    const files = readKept(this.storage.getItem(KEY));
    if (files) return files;
    const id = newId();
    return { files: [{ id, name: "scratch.py", language: "python", saved: welcome, text: welcome }], activeId: id };
  }
}

function readKept(kept: string | null): Pick<WorkbenchState, "files" | "activeId"> | null {
  if (!kept) return null;
  try {
    const value = JSON.parse(kept) as { files?: unknown; activeId?: unknown };
    if (!Array.isArray(value.files)) return null;
    const files = value.files.filter(isWorkFile);
    const [first] = files;
    if (!first) return null;
    return { files, activeId: files.some((file) => file.id === value.activeId) ? String(value.activeId) : first.id };
  } catch {
    // Something else wrote under this key, or it was cut: begin with a fresh scratch file.
    return null;
  }
}

function isWorkFile(value: unknown): value is WorkFile {
  if (typeof value !== "object" || value === null) return false;
  const file = value as Record<string, unknown>;
  return ["id", "name", "language", "saved", "text"].every((field) => typeof file[field] === "string");
}
