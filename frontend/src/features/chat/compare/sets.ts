/** A named choice of models, kept on this device for its account. */
export interface ModelSet {
  name: string;
  models: string[];
}

const KEY = "marketplace.compare.sets.";
const MOST_SETS = 12;

type Storage = { getItem: (key: string) => string | null; setItem: (key: string, value: string) => void };

export function readSets(storage: Storage, account: string): ModelSet[] {
  try {
    const value: unknown = JSON.parse(storage.getItem(KEY + account) ?? "[]");
    return Array.isArray(value) ? value.filter(isSet) : [];
  } catch {
    // Not ours: there are none.
    return [];
  }
}

/** A set of the same name is replaced; the newest come first. */
export function writeSet(storage: Storage, account: string, set: ModelSet): ModelSet[] {
  const sets = [set, ...readSets(storage, account).filter(({ name }) => name !== set.name)].slice(0, MOST_SETS);
  storage.setItem(KEY + account, JSON.stringify(sets));
  return sets;
}

export function removeSet(storage: Storage, account: string, name: string): ModelSet[] {
  const sets = readSets(storage, account).filter((set) => set.name !== name);
  storage.setItem(KEY + account, JSON.stringify(sets));
  return sets;
}

function isSet(value: unknown): value is ModelSet {
  const { name, models } = (value ?? {}) as Partial<ModelSet>;
  return typeof name === "string" && Array.isArray(models) && models.every((model) => typeof model === "string");
}
