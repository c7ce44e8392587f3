import { type ReactNode, useState } from "react";
import type { Host } from "@/hosts/host";
import { createServices, ServicesProvider } from "@/shared/api/services";

/** A host in memory, for tests. */
export function memoryHost(fields: Partial<Host> = {}): Host {
  const kept = new Map<string, string>();
  return {
    kind: "browser",
    storage: {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
      subscribe: () => () => {},
    },
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
