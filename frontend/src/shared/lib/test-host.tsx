import { type ReactNode, useState } from "react";
import type { Host, HostShelf, ShelfItem } from "@/hosts/host";
import { createServices, ServicesProvider } from "@/shared/api/services";

/** A shelf in memory, for tests: everyone who has it is another tab. */
export function memoryShelf(): HostShelf & { items: Map<string, ShelfItem> } {
  const items = new Map<string, ShelfItem>();
  const listeners = new Set<(owner: string, id: string, item: ShelfItem | null) => void>();
  const tell = (owner: string, id: string, item: ShelfItem | null) => {
    for (const listener of listeners) listener(owner, id, item);
  };
  return {
    items,
    all: (owner) => Promise.resolve([...items.values()].filter((item) => item.owner === owner)),
    put: (put) => {
      for (const item of put) {
        items.set(`${item.owner} ${item.id}`, structuredClone(item));
        tell(item.owner, item.id, structuredClone(item));
      }
      return Promise.resolve();
    },
    remove: (owner, ids) => {
      for (const id of ids) {
        items.delete(`${owner} ${id}`);
        tell(owner, id, null);
      }
      return Promise.resolve();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A host in memory, for tests. */
export function memoryHost(fields: Partial<Host> = {}): Host {
  const kept = new Map<string, string>();
  return {
    kind: "browser",
    storage: {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
      keys: () => [...kept.keys()],
      unkept: () => [],
      subscribe: () => () => {},
    },
    shelf: memoryShelf(),
    tab: "tab-1",
    theme: { current: () => "dark", choice: () => "system", subscribe: () => () => {} },
    apiBase: "",
    openLink: () => {},
    copy: () => Promise.resolve(true),
    ...fields,
  };
}

export function TestHost({ host, children }: { host?: Host; children: ReactNode }) {
  const [services] = useState(() => createServices(host ?? memoryHost()));
  return <ServicesProvider services={services}>{children}</ServicesProvider>;
}
