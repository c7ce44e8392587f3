/** Bytes of a text file to text and back, so that what is saved again is, but for the changes, byte for byte what was opened. */

type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

export interface TextForm {
  encoding: Encoding;
  /** A byte order mark stands before the text. */
  mark: boolean;
  /** `mixed`: the text keeps its carriage returns as characters, and nothing is put in when it is saved. */
  ends: "lf" | "crlf" | "mixed";
}

export const PLAIN: TextForm = { encoding: "utf-8", mark: false, ends: "lf" };

/** A character has no place in the file's encoding. */
export class NotInEncoding extends Error {
  constructor(readonly character: string) {
    super(`“${character}” cannot be written in Western (Windows-1252), which this file is in.`);
  }
}

const marks: readonly [Encoding, readonly number[]][] = [
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
];

/** Null for what is no text. */
export function decodeText(bytes: Uint8Array): { text: string; form: TextForm } | null {
  const marked = marks.find(([, mark]) => mark.every((byte, index) => bytes[index] === byte));
  const body = marked ? bytes.subarray(marked[1].length) : bytes;
  const found = marked ? tryDecode(body, marked[0]) : (tryDecode(body, "utf-8") ?? tryDecode(body, "windows-1252"));
  if (!found || found.raw.includes("\0")) return null;
  const ends = lineEnds(found.raw);
  return {
    text: ends === "crlf" ? found.raw.replaceAll("\r\n", "\n") : found.raw,
    form: { encoding: found.encoding, mark: marked !== undefined, ends },
  };
}

/** Throws `NotInEncoding`. */
export function encodeText(text: string, { encoding, mark, ends }: TextForm): Uint8Array<ArrayBuffer> {
  const body = encodeBody(ends === "crlf" ? text.replaceAll("\n", "\r\n") : text, encoding);
  const before = mark ? (marks.find(([name]) => name === encoding)?.[1] ?? []) : [];
  const bytes = new Uint8Array(before.length + body.length);
  bytes.set(before);
  bytes.set(body, before.length);
  return bytes;
}

function tryDecode(bytes: Uint8Array, encoding: Encoding): { raw: string; encoding: Encoding } | null {
  try {
    // ignoreBOM keeps a second mark as the character it is.
    return { raw: new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes), encoding };
  } catch {
    return null;
  }
}

function lineEnds(raw: string): TextForm["ends"] {
  const returns = raw.split("\r").length - 1;
  if (returns === 0) return "lf";
  const pairs = raw.split("\r\n").length - 1;
  const feeds = raw.split("\n").length - 1;
  return pairs === returns && pairs === feeds ? "crlf" : "mixed";
}

function encodeBody(text: string, encoding: Encoding): Uint8Array {
  if (encoding === "utf-8") return new TextEncoder().encode(text);
  if (encoding === "windows-1252") return Uint8Array.from(text, westernByte);
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < text.length; index += 1) {
    view.setUint16(index * 2, text.charCodeAt(index), encoding === "utf-16le");
  }
  return bytes;
}

let western: Map<string, number> | undefined;

function westernByte(character: string): number {
  if (!western) {
    const all = new TextDecoder("windows-1252").decode(Uint8Array.from({ length: 256 }, (_, byte) => byte));
    western = new Map(Array.from(all, (each, byte) => [each, byte]));
  }
  const byte = western.get(character);
  if (byte === undefined) throw new NotInEncoding(character);
  return byte;
}
