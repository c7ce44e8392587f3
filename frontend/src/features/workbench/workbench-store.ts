import { createStore, type StoreApi } from "zustand/vanilla";
import type { EditorSelection, HostShelf, HostStorage } from "@/hosts/host";
import { randomId } from "@/shared/lib/random-id";
import { PLAIN } from "@/shared/lib/text-bytes";
import { languageOf, type OpenedFile } from "./files";
import { isKeptFile, type KeptFile, meet, type WorkFile } from "./work-file";

export type { WorkFile } from "./work-file";

export interface WorkbenchState {
  files: WorkFile[];
  activeId: string;
  /** False until what was open before has been read. */
  loaded: boolean;
  /** What was typed is on the shelf; on its way there; or can't be kept, and would be lost with the page. */
  keeping: "kept" | "pending" | "failed";
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

const ACTIVE_KEY = "marketplace.workbench.active";
const SAVE_DELAY_MS = 150;
const RETRY_MS = 2000;

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

/** The open files and what is being done to them. Knows nothing of CodeMirror, so that it costs nothing before the editor is there. */
export class Workbench {
  readonly store: StoreApi<WorkbenchState>;
  private owner = "";
  private port: EditorPort | null = null;
  private pending: ((port: EditorPort) => void)[] = [];
  private readonly unkept = new Set<string>();
  private saving: ReturnType<typeof setTimeout> | undefined;
  private writing: Promise<void> = Promise.resolve();
  /** Called when something needs the editor and it is not on the page. */
  onNeedEditor: () => void = () => {};

  constructor(
    private readonly shelf: HostShelf,
    private readonly storage: HostStorage,
  ) {
    this.store = createStore<WorkbenchState>()(() => ({
      ...fresh(),
      loaded: false,
      keeping: "kept",
      cursor: { line: 1, column: 1, selected: 0 },
    }));
    shelf.subscribe((owner, id, item) => this.heard(owner, id, item));
  }

  /**
   * Shows the files of an account (empty: nobody's). What somebody wrote before signing in goes along to the account;
   * what is an account's stays there.
   */
  async belongTo(owner: string): Promise<void> {
    const before = this.owner;
    await this.flush();
    const along = before === "" && owner !== "" ? this.store.getState().files.filter(isWritten) : [];
    this.owner = owner;
    this.store.setState({ ...fresh(), loaded: false });
    const kept = await this.read(owner);
    if (this.owner !== owner) return;
    // What was opened or typed while the shelf was being read stays too.
    const typed = this.store.getState().files.filter((file) => isWritten(file) || this.unkept.has(file.id));
    const taken = new Set(kept.map(({ id }) => id));
    const added = [...along, ...typed].map((file) => (taken.has(file.id) ? { ...file, id: randomId() } : file));
    const files = [...kept, ...added];
    const active = added.at(-1)?.id ?? this.storage.getItem(ACTIVE_KEY);
    const shown = files.find(({ id }) => id === active) ?? files[0];
    if (shown) this.store.setState({ files, activeId: shown.id });
    this.store.setState({ loaded: true });
    for (const { id } of added) this.unkept.add(id);
    if (along.length > 0)
      await this.shelf
        .remove(
          "",
          along.map(({ id }) => id),
        )
        .catch(() => {});
    this.keepSoon();
  }

  /** Forgets every file of this account on this device: for when its owner signs out. */
  async forget(): Promise<void> {
    const { owner } = this;
    const ids = this.store.getState().files.map(({ id }) => id);
    // First from memory: what is not there any more can't be written again by a write that is still to come.
    this.unkept.clear();
    this.store.setState(fresh());
    this.writing = this.writing.then(() => this.shelf.remove(owner, ids)).catch(() => {});
    await this.writing;
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

  /** The files whose text is not what lies on disk (or was first shown). */
  get unsaved(): WorkFile[] {
    return this.store.getState().files.filter(isWritten);
  }

  open(opened: readonly OpenedFile[]): void {
    const files = opened.map(({ name, text, form, handle }) => ({
      id: randomId(),
      name,
      language: languageOf(name),
      form,
      saved: text,
      text,
      kept: null,
      revision: 0,
      handle,
    }));
    const last = files.at(-1);
    if (!last) return;
    this.store.setState({ files: [...this.store.getState().files, ...files] });
    for (const { id } of files) this.touch(id);
    this.activate(last.id);
  }

  newScratch(): void {
    const names = new Set(this.store.getState().files.map(({ name }) => name));
    let number = 1;
    while (names.has(`scratch-${number}.py`)) number++;
    this.open([{ name: `scratch-${number}.py`, text: "", form: PLAIN }]);
  }

  activate(id: string): void {
    this.store.setState({ activeId: id });
    this.storage.setItem(ACTIVE_KEY, id);
  }

  close(id: string): void {
    const { files, activeId } = this.store.getState();
    const index = files.findIndex((file) => file.id === id);
    const rest = files.filter((file) => file.id !== id);
    this.unkept.delete(id);
    this.store.setState({ files: rest });
    this.writing = this.writing.then(() => this.shelf.remove(this.owner, [id])).catch(() => {});
    if (rest.length === 0) this.newScratch();
    else if (activeId === id) this.activate(rest[Math.min(index, rest.length - 1)]?.id ?? "");
  }

  edit(id: string, text: string): void {
    this.change(id, (file) => (file.text === text ? file : { ...file, text }));
  }

  markSaved(id: string, text: string, handle?: FileSystemFileHandle): void {
    this.change(id, (file) => {
      const name = handle?.name ?? file.name;
      return { ...file, saved: text, handle, name, language: languageOf(name) };
    });
  }

  /** From now on the file is written as UTF-8. */
  toUnicode(id: string): void {
    this.change(id, (file) => ({ ...file, form: { ...file.form, encoding: "utf-8", mark: false } }));
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
      // Before the text changes: with the original on the record, no reload or tab can make the proposal look accepted.
      this.change(file.id, (one) => ({ ...one, original: one.original ?? one.text }));
      port.replace(proposed);
      port.focus();
    });
  };

  accept(): void {
    this.decide((file) => file.text);
  }

  reject(): void {
    this.decide((file) => file.original ?? file.text);
  }

  moveCursor(cursor: WorkbenchState["cursor"]): void {
    this.store.setState({ cursor });
  }

  /** Writes what is not on the shelf yet. */
  async flush(): Promise<void> {
    clearTimeout(this.saving);
    this.writing = this.writing.then(() => this.write());
    await this.writing;
  }

  private decide(text: (file: WorkFile) => string): void {
    const file = this.active;
    if (file?.original === undefined) return;
    const decided = text(file);
    this.change(file.id, ({ original: _original, ...rest }) => rest);
    if (decided !== file.text) this.port?.replace(decided);
    this.port?.focus();
  }

  private withPort(act: (port: EditorPort) => void): void {
    this.onNeedEditor();
    if (this.port) act(this.port);
    else this.pending.push(act);
  }

  private change(id: string, next: (file: WorkFile) => WorkFile): void {
    const files = this.store.getState().files.map((file) => (file.id === id ? next(file) : file));
    if (files.every((file, index) => file === this.store.getState().files[index])) return;
    this.store.setState({ files });
    this.touch(id);
  }

  private touch(id: string): void {
    this.unkept.add(id);
    this.keepSoon();
  }

  private keepSoon(): void {
    clearTimeout(this.saving);
    if (this.unkept.size === 0) return;
    if (this.store.getState().keeping === "kept") this.store.setState({ keeping: "pending" });
    this.saving = setTimeout(() => void this.flush(), SAVE_DELAY_MS);
  }

  private async write(): Promise<void> {
    const { owner } = this;
    const files = this.store.getState().files.filter(({ id }) => this.unkept.has(id));
    if (files.length === 0) return;
    for (const { id } of files) this.unkept.delete(id);
    try {
      await this.shelf.put(files.map((file): KeptFile => toKept(file, owner)));
    } catch {
      // Full or forbidden: said in the status line, asked about before the page goes, and tried again.
      for (const { id } of files) this.unkept.add(id);
      this.store.setState({ keeping: "failed" });
      this.saving = setTimeout(() => void this.flush(), RETRY_MS);
      return;
    }
    if (this.owner !== owner) return;
    const written = new Map(files.map(({ id, text }) => [id, text]));
    this.store.setState({
      files: this.store.getState().files.map((file) => {
        const text = written.get(file.id);
        return text === undefined ? file : { ...file, kept: text };
      }),
      keeping: this.unkept.size === 0 ? "kept" : "pending",
    });
  }

  private async read(owner: string): Promise<WorkFile[]> {
    try {
      const items = await this.shelf.all(owner);
      return items.filter(isKeptFile).map(fromKept);
    } catch {
      this.store.setState({ keeping: "failed" });
      return [];
    }
  }

  /** Another tab of this account wrote or closed a file. */
  private heard(owner: string, id: string, item: unknown): void {
    if (owner !== this.owner) return;
    const { files } = this.store.getState();
    const mine = files.find((file) => file.id === id);
    if (item === null) {
      // Closed there. What is being written here stays, and is kept again; what is only looked at stays in sight.
      if (mine && mine.text !== mine.kept) this.touch(id);
      else if (id !== this.store.getState().activeId) {
        this.store.setState({ files: files.filter((file) => file !== mine) });
      }
      return;
    }
    if (!isKeptFile(item)) return;
    const [next, ...aside] = meet(mine, fromKept(item));
    const changed = mine ? files.map((file) => (file === mine ? next : file)) : [...files, next];
    this.store.setState({ files: [...changed, ...aside] });
    for (const file of aside) this.touch(file.id);
    if (next === mine && aside.length > 0) this.touch(id);
  }
}

function fresh(): Pick<WorkbenchState, "files" | "activeId"> {
  // The same id in every tab: what is written into it in one is seen in the others, not a second file of that name.
  const id = "scratch";
  const file = { id, name: "scratch.py", language: "python", form: PLAIN, saved: welcome, text: welcome };
  return { files: [{ ...file, kept: welcome, revision: 0 }], activeId: id };
}

const isWritten = ({ text, saved }: WorkFile): boolean => text !== saved;

function toKept({ handle: _handle, kept: _kept, revision: _revision, ...file }: WorkFile, owner: string): KeptFile {
  return { ...file, owner };
}

function fromKept({ owner: _owner, ...file }: KeptFile): WorkFile {
  return { ...file, kept: file.text, revision: 0 };
}
