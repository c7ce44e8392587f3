import type { StoreApi } from "zustand/vanilla";
import type { HostShelf } from "@/hosts/host";
import { randomId } from "@/shared/lib/random-id";
import { isKeptFile, type KeptFile, meet, type WorkFile } from "./work-file";
import { fresh, isWritten, type WorkbenchState } from "./workbench-state";

const SAVE_DELAY_MS = 150;
const RETRY_MS = 2000;

/** Keeps the open files of an account on the shelf, and in step with its other tabs. */
export class FileKeeper {
  private owner = "";
  private readonly unkept = new Set<string>();
  private saving: ReturnType<typeof setTimeout> | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: StoreApi<WorkbenchState>,
    private readonly shelf: HostShelf,
  ) {
    shelf.subscribe((owner, id, item) => this.heard(owner, id, item));
  }

  /**
   * Shows the files of an account (empty: nobody's). What somebody wrote before signing in goes along to the account;
   * what is an account's stays there.
   */
  async belongTo(owner: string, lastShown: string | null): Promise<void> {
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
    const active = added.at(-1)?.id ?? lastShown;
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

  /** Writes what is not on the shelf yet. */
  async flush(): Promise<void> {
    clearTimeout(this.saving);
    this.writing = this.writing.then(() => this.write());
    await this.writing;
  }

  /** The file was changed here. */
  touch(id: string): void {
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

  /** The file was closed here. */
  remove(id: string): void {
    this.unkept.delete(id);
    this.writing = this.writing.then(() => this.shelf.remove(this.owner, [id])).catch(() => {});
  }
}

function toKept({ handle: _handle, kept: _kept, revision: _revision, ...file }: WorkFile, owner: string): KeptFile {
  return { ...file, owner };
}

function fromKept({ owner: _owner, ...file }: KeptFile): WorkFile {
  return { ...file, kept: file.text, revision: 0 };
}
