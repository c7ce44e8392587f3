import type { HostShelf, ShelfItem } from "@/hosts/host";

const DATABASE = "marketplace";
const STORE = "files";

interface Change {
  owner: string;
  id: string;
  item: ShelfItem | null;
}

/** A shelf in IndexedDB; other tabs hear of every change. Where the browser has none (private mode), each call rejects. */
export function createShelf(): HostShelf {
  const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(`${DATABASE}.${STORE}`);
  let opened: Promise<IDBDatabase> | null = null;
  const database = () => {
    opened ??= open();
    // A failure is not kept: the next call tries again.
    opened.catch(() => {
      opened = null;
    });
    return opened;
  };
  const write = async (act: (store: IDBObjectStore) => void) => {
    const transaction = (await database()).transaction(STORE, "readwrite", { durability: "strict" });
    act(transaction.objectStore(STORE));
    // Else it waits for its requests' answers, and is given up with a page that goes before they come.
    transaction.commit();
    await done(transaction);
  };
  const tell = (change: Change) => channel?.postMessage(change);
  return {
    async all(owner) {
      const store = (await database()).transaction(STORE).objectStore(STORE);
      return answer(store.getAll(IDBKeyRange.bound([owner], [owner, []])));
    },
    async put(items) {
      await write((store) => {
        for (const item of items) store.put(item);
      });
      for (const item of items) tell({ owner: item.owner, id: item.id, item });
    },
    async remove(owner, ids) {
      await write((store) => {
        for (const id of ids) store.delete([owner, id]);
      });
      for (const id of ids) tell({ owner, id, item: null });
    },
    subscribe(listener) {
      const hear = ({ data }: MessageEvent<Change>) => listener(data.owner, data.id, data.item);
      channel?.addEventListener("message", hear);
      return () => channel?.removeEventListener("message", hear);
    },
  };
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    if (typeof indexedDB === "undefined") return reject(new Error("This browser keeps nothing."));
    const request = indexedDB.open(DATABASE, 1);
    request.addEventListener("upgradeneeded", () => {
      request.result.createObjectStore(STORE, { keyPath: ["owner", "id"] });
    });
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

function done(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", () => reject(transaction.error));
  });
}
