import { createStore, type StoreApi } from "zustand/vanilla";
import type { EditorSelection, HostShelf, HostStorage } from "@/hosts/host";
import { randomId } from "@/shared/lib/random-id";
import { PLAIN } from "@/shared/lib/text-bytes";
import { FileKeeper } from "./file-keeper";
import { languageOf, type OpenedFile } from "./files";
import type { WorkFile } from "./work-file";
import { type EditorPort, fresh, isWritten, type WorkbenchState } from "./workbench-state";

const ACTIVE_KEY = "marketplace.workbench.active";

/** The open files and what is being done to them. Knows nothing of CodeMirror, so that it costs nothing before the editor is there. */
export class Workbench {
  readonly store: StoreApi<WorkbenchState>;
  private port: EditorPort | null = null;
  private pending: ((port: EditorPort) => void)[] = [];
  private readonly keeper: FileKeeper;
  /** Called when something needs the editor and it is not on the page. */
  onNeedEditor: () => void = () => {};

  constructor(
    shelf: HostShelf,
    private readonly storage: HostStorage,
  ) {
    this.store = createStore<WorkbenchState>()(() => ({
      ...fresh(),
      loaded: false,
      keeping: "kept",
      cursor: { line: 1, column: 1, selected: 0 },
    }));
    this.keeper = new FileKeeper(this.store, shelf);
  }

  /**
   * Shows the files of an account (empty: nobody's). What somebody wrote before signing in goes along to the account;
   * what is an account's stays there.
   */
  belongTo(owner: string): Promise<void> {
    return this.keeper.belongTo(owner, this.storage.getItem(ACTIVE_KEY));
  }

  /** Forgets every file of this account on this device: for when its owner signs out. */
  forget(): Promise<void> {
    return this.keeper.forget();
  }

  /** Writes what is not on the shelf yet. */
  flush(): Promise<void> {
    return this.keeper.flush();
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
    for (const { id } of files) this.keeper.touch(id);
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
    this.store.setState({ files: rest });
    this.keeper.remove(id);
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

  /** Under another name it is another file: the next save asks where it goes. */
  rename(id: string, name: string): void {
    this.change(id, ({ handle: _handle, ...file }) => ({ ...file, name, language: languageOf(name) }));
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
    this.keeper.touch(id);
  }
}
