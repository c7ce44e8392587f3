/** Opening and saving files of the user's disk: the File System Access API where there is one, a file input and a download elsewhere. */

import { saveFile } from "@/shared/lib/save-file";
import { decodeText, type TextForm } from "@/shared/lib/text-bytes";

export interface OpenedFile {
  name: string;
  text: string;
  form: TextForm;
  /** Lets a save go back to the same file. */
  handle?: FileSystemFileHandle;
}

/** Bytes. Larger files are refused with words: the editor stays quick. */
const MAX_FILE = 4_000_000;

export class FileRefused extends Error {}

interface PickerWindow {
  showOpenFilePicker?: (options: { multiple: boolean }) => Promise<FileSystemFileHandle[]>;
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
}

const pickers = () => window as unknown as PickerWindow;

/** Null when the user cancelled. */
export async function openFromDisk(): Promise<OpenedFile[] | null> {
  const { showOpenFilePicker } = pickers();
  try {
    if (!showOpenFilePicker) return await openByInput();
    const handles = await showOpenFilePicker.call(window, { multiple: true });
    return await Promise.all(handles.map(async (handle) => ({ ...(await readText(await handle.getFile())), handle })));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    throw error;
  }
}

function openByInput(): Promise<OpenedFile[] | null> {
  return new Promise((resolve, reject) => {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.addEventListener("cancel", () => resolve(null));
    input.addEventListener("change", () => {
      Promise.all([...(input.files ?? [])].map(readText)).then(resolve, reject);
    });
    input.click();
  });
}

export async function readText(file: File): Promise<OpenedFile> {
  if (file.size > MAX_FILE) throw new FileRefused(`${file.name} is larger than ${MAX_FILE / 1_000_000} MB.`);
  const bytes = await file.arrayBuffer().catch(() => {
    throw new FileRefused(`${file.name} could not be read. If it is a folder, drop the files in it.`);
  });
  const read = decodeText(new Uint8Array(bytes));
  if (!read) throw new FileRefused(`${file.name} is not a text file.`);
  return { name: file.name, ...read };
}

/** Returns the handle for the next save, undefined after a download, null when the user cancelled. */
export async function saveToDisk(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  handle?: FileSystemFileHandle,
): Promise<FileSystemFileHandle | undefined | null> {
  const { showSaveFilePicker } = pickers();
  try {
    const target = handle ?? (await showSaveFilePicker?.call(window, { suggestedName: name }));
    if (!target) {
      saveFile(new Blob([bytes], { type: "text/plain" }), name);
      return undefined;
    }
    const stream = await target.createWritable();
    await stream.write(bytes);
    await stream.close();
    return target;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    throw error;
  }
}

const languages: Record<string, string> = {
  py: "python",
  js: "javascript",
  mjs: "javascript",
  cjs: "javascript",
  jsx: "jsx",
  ts: "typescript",
  tsx: "tsx",
  json: "json",
  md: "markdown",
  html: "html",
  css: "css",
};

/** For example `python`; `plaintext` when nothing fits. */
export function languageOf(name: string): string {
  return languages[name.split(".").at(-1)?.toLowerCase() ?? ""] ?? "plaintext";
}
