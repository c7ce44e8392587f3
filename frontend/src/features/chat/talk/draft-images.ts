import type { HostShelf, ShelfItem } from "@/hosts/host";

interface KeptImages extends ShelfItem {
  images: string[];
  /** Milliseconds since the epoch. */
  at: number;
}

const PREFIX = "images.";
/** Of a new chat whose tab never came back. */
const FORGOTTEN_MS = 24 * 3600 * 1000;

/** The pictures of a draft: too large for the small storage, so each draft has a record on the shelf. Kept as well as the browser can. */
export async function readImages(shelf: HostShelf, owner: string, draft: string): Promise<string[]> {
  const kept = await all(shelf, owner);
  const old = kept.filter(({ id, at }) => id.startsWith(`${PREFIX}new.`) && Date.now() - at > FORGOTTEN_MS);
  if (old.length) await shelf.remove(owner, ids(old)).catch(() => {});
  return kept.find(({ id }) => id === PREFIX + draft)?.images ?? [];
}

export async function keepImages(shelf: HostShelf, owner: string, draft: string, images: string[]): Promise<void> {
  const id = PREFIX + draft;
  const item: KeptImages = { owner, id, images, at: Date.now() };
  // Where nothing can be kept they stay in the page.
  await (images.length ? shelf.put([item]) : shelf.remove(owner, [id])).catch(() => {});
}

export async function forgetImages(shelf: HostShelf, owner: string): Promise<void> {
  const kept = await all(shelf, owner);
  if (kept.length) await shelf.remove(owner, ids(kept)).catch(() => {});
}

/** What somebody attached before signing in is theirs afterwards. */
export async function bringImages(shelf: HostShelf, owner: string): Promise<void> {
  const kept = await all(shelf, "");
  if (kept.length === 0) return;
  await shelf.put(kept.map((item) => ({ ...item, owner }))).catch(() => {});
  await forgetImages(shelf, "");
}

async function all(shelf: HostShelf, owner: string): Promise<KeptImages[]> {
  const items: ShelfItem[] = await shelf.all(owner).catch(() => []);
  return items.filter((item): item is KeptImages => item.id.startsWith(PREFIX) && "images" in item);
}

const ids = (items: readonly ShelfItem[]) => items.map(({ id }) => id);
