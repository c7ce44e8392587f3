import { describe, expect, test } from "vitest";
import { decodeText, encodeText, NotInEncoding, PLAIN } from "./text-bytes";

const bytes = (...values: number[]) => Uint8Array.from(values);
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Reads and writes unchanged. */
function round(file: Uint8Array): Uint8Array {
  const read = decodeText(file);
  if (!read) throw new Error("taken for no text");
  return encodeText(read.text, read.form);
}

describe("a file that is saved unchanged keeps every byte", () => {
  const files: [string, Uint8Array][] = [
    ["UTF-8", utf8("naïve → 日本\n")],
    ["UTF-8 with a mark", bytes(0xef, 0xbb, 0xbf, ...utf8("x = 1\r\n"))],
    ["two marks", bytes(0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0x61)],
    ["CRLF", utf8("a\r\nb\r\n")],
    ["mixed ends", utf8("a\r\nb\nc\rd")],
    ["old Mac ends", utf8("a\rb\r")],
    ["no last end", utf8("a\r\nb")],
    ["Latin-1", bytes(0x63, 0x61, 0x66, 0xe9, 0x0a)],
    ["every byte of Windows-1252 but NUL", Uint8Array.from({ length: 255 }, (_, index) => index + 1)],
    ["UTF-16 little", bytes(0xff, 0xfe, 0x61, 0x00, 0x0d, 0x00, 0x0a, 0x00, 0xe5, 0x65)],
    ["UTF-16 big", bytes(0xfe, 0xff, 0x00, 0x61, 0x65, 0xe5)],
    ["nothing", bytes()],
  ];
  test.each(files)("%s", (_, file) => expect([...round(file)]).toEqual([...file]));

  test("any bytes: they come back, or the file is refused", () => {
    let seed = 7;
    const next = () => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed;
    };
    for (let run = 0; run < 2000; run += 1) {
      const file = Uint8Array.from(
        { length: next() % 12 },
        () => [0x0a, 0x0d, 0xef, 0xbb, 0xbf, 0xff, next() % 256][next() % 7] ?? 0,
      );
      if (decodeText(file)) expect([...round(file)]).toEqual([...file]);
      else expect(file.includes(0) || file[0] === 0xff || file[0] === 0xfe || file[0] === 0xef).toBe(true);
    }
  });
});

test("a change is written in the file's own ends and encoding", () => {
  const read = decodeText(bytes(0x61, 0x0d, 0x0a, 0xe9));
  expect(read?.text).toBe("a\né");
  expect([...encodeText("ö\nb", read?.form ?? PLAIN)]).toEqual([0xf6, 0x0d, 0x0a, 0x62]);
});

test("a character that the encoding lacks is refused by name, not replaced", () => {
  expect(() => encodeText("→", { ...PLAIN, encoding: "windows-1252" })).toThrow(NotInEncoding);
  expect(() => encodeText("😀", { ...PLAIN, encoding: "windows-1252" })).toThrow("“😀”");
});

test("what holds NUL is no text", () => {
  expect(decodeText(bytes(0x61, 0, 0x62))).toBeNull();
});
