import { fenced } from "@/shared/lib/fence";
import { plainName } from "@/shared/lib/plain-name";
import { decodeText } from "@/shared/lib/text-bytes";

/** A text that goes along with a question: a file, or a paste too long for the text field. */
export interface TextFile {
  name: string;
  text: string;
}

/** Bytes. About 250,000 tokens: more than most models take. */
const MAX_BYTES = 1_000_000;
const LONG_LINES = 200;
const LONG_CHARACTERS = 10_000;

const DOCUMENT = /\.(pdf|docx?|xlsx?|pptx?)$/i;

/** The text of a file, or why there is none. `extract` asks the server for the text of a PDF or an Office file. */
export async function readTextFile(
  file: File,
  extract: (file: File) => Promise<{ text: string; cut: boolean }>,
): Promise<{ file: TextFile } | { problem: string }> {
  const name = plainName(file.name) || "That file";
  if (/^(audio|video)\//.test(file.type)) {
    return { problem: `${name} is sound or video, which cannot be attached here. Attach its text.` };
  }
  if (DOCUMENT.test(file.name)) {
    try {
      const { text, cut } = await extract(file);
      return { file: { name: cut ? `${name} (cut)` : name, text } };
    } catch (error) {
      return { problem: `${name} was not attached. ${error instanceof Error ? error.message : ""}`.trim() };
    }
  }
  if (file.size > MAX_BYTES) return { problem: `${name} is over ${MAX_BYTES / 1_000_000} MB of text.` };
  let read: ReturnType<typeof decodeText>;
  try {
    read = decodeText(new Uint8Array(await file.arrayBuffer()));
  } catch {
    return { problem: `${name} could not be read. If it is a folder, drop the files in it.` };
  }
  if (!read || /\.(zip|gz|exe)$/i.test(file.name)) {
    return { problem: `${name} is neither text nor a document (PDF, Office) nor an image (PNG, JPEG, WebP, GIF).` };
  }
  return { file: { name, text: read.text } };
}

/** True for a paste that would fill the text field for pages. */
export const isLong = (text: string): boolean => text.length > LONG_CHARACTERS || text.split("\n").length > LONG_LINES;

/** Characters: more than this in the text field makes each key slow. */
const MOST_IN_FIELD = 50_000;

/** A text as it is to stand in the text field: one that is too long for it, however it got there, goes along as a file. */
export function foldLong(text: string): { text: string; files: TextFile[] } {
  return text.length > MOST_IN_FIELD ? { text: "", files: [{ name: "Pasted text", text }] } : { text, files: [] };
}

/** The same for what was put into a text at once: dropped, dictated, filled in by a program. What was typed stays in the field. */
export function foldInserted(before: string, after: string): { text: string; files: TextFile[] } {
  if (after.length - before.length <= LONG_CHARACTERS) return { text: after, files: [] };
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const added = after.slice(start, after.length - end);
  return { text: before, files: [{ name: "Pasted text", text: added }] };
}

/** The question with its files, as the model reads it. */
export function withFiles(question: string, files: readonly TextFile[]): string {
  const parts = files.map(({ name, text }) => `${name}:\n\n${fenced(text, extension(name))}`);
  return [question.trim(), ...parts].filter(Boolean).join("\n\n");
}

function extension(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
}

/** About how many tokens a text is: four bytes each. The estimate below the message is the model's own count. */
export function roughTokens(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
  }
  return Math.ceil(bytes / 4);
}

/** What was kept with a draft; nothing for anything else. */
export function parseFiles(kept: string): TextFile[] {
  try {
    const value: unknown = JSON.parse(kept || "[]");
    return Array.isArray(value) ? value.filter(isTextFile) : [];
  } catch {
    return [];
  }
}

function isTextFile(value: unknown): value is TextFile {
  const { name, text } = (value ?? {}) as Partial<TextFile>;
  return typeof name === "string" && typeof text === "string";
}
