import type { ShelfItem } from "@/hosts/host";
import { randomId } from "@/shared/lib/random-id";
import type { TextForm } from "@/shared/lib/text-bytes";

export interface WorkFile {
  id: string;
  name: string;
  language: string;
  form: TextForm;
  /** What was last saved or opened; the file is dirty when the text differs. */
  saved: string;
  text: string;
  /** What was there before a model proposed `text`: a question until it is accepted or rejected. */
  original?: string;
  /** The text as this tab last read it from the shelf or wrote it there; null before that. */
  kept: string | null;
  /** Counts the times the text came from elsewhere than the editor. */
  revision: number;
  handle?: FileSystemFileHandle;
}

/** A file as it lies on the shelf. */
export type KeptFile = ShelfItem & Omit<WorkFile, "kept" | "revision" | "handle">;

export function isKeptFile(value: unknown): value is KeptFile {
  if (typeof value !== "object" || value === null) return false;
  const file = value as Record<string, unknown>;
  const texts = ["owner", "id", "name", "language", "saved", "text"];
  return texts.every((field) => typeof file[field] === "string") && typeof file.form === "object" && file.form !== null;
}

/**
 * A file as another tab has just kept it meets the one here: [the file to show, then what stands aside as a copy].
 * Where both were changed, both texts stay: the one from the other tab under a name that says so.
 */
export function meet(mine: WorkFile | undefined, theirs: WorkFile): [WorkFile, ...WorkFile[]] {
  if (!mine) return [theirs];
  const { text, kept } = mine;
  if (text === theirs.text) return [{ ...mine, ...facts(theirs), kept: theirs.text }];
  if (text === kept)
    return [{ ...mine, ...facts(theirs), text: theirs.text, kept: theirs.text, revision: mine.revision + 1 }];
  const copy = { ...theirs, id: randomId(), name: asideName(theirs.name), kept: null, original: undefined };
  return [mine, copy];
}

const facts = ({ name, language, form, saved, original }: WorkFile) => ({ name, language, form, saved, original });

function asideName(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? `${name.slice(0, dot)} (other tab)${name.slice(dot)}` : `${name} (other tab)`;
}
