import { describe, expect, test } from "vitest";
import { foldInserted, foldLong, isLong, parseFiles, readTextFile, withFiles } from "./text-files";

const never = () => Promise.reject(new Error("nobody was to be asked"));

describe("text files", () => {
  test("go along as fenced text that nothing in them can end", () => {
    const asked = withFiles("Why?", [{ name: "notes.md", text: "a\n```py\nx\n```\n" }]);
    expect(asked).toBe("Why?\n\nnotes.md:\n\n````md\na\n```py\nx\n```\n````");
    expect(withFiles("", [{ name: "Makefile", text: "all:" }])).toBe("Makefile:\n\n```\nall:\n```");
  });

  test("in an old encoding are read, not garbled", async () => {
    const latin = new File([Uint8Array.from([0x63, 0x61, 0x66, 0xe9])], "menu.csv");
    expect(await readTextFile(latin, never)).toEqual({ file: { name: "menu.csv", text: "café" } });
  });

  test("that are none are refused in words", async () => {
    for (const file of [new File([Uint8Array.from([0, 1, 2])], "a.bin"), new File(["x".repeat(1_000_001)], "big.log")]) {
      expect(await readTextFile(file, never)).toHaveProperty("problem", expect.stringContaining(file.name));
    }
  });

  test("a document is attached as the server reads it, or refused in its words", async () => {
    const paper = new File(["%PDF-1.7"], "paper.pdf");
    expect(await readTextFile(paper, async () => ({ text: "Words", cut: true }))).toEqual({
      file: { name: "paper.pdf (cut)", text: "Words" },
    });
    const refuse = () => Promise.reject(new Error("The file is protected by a password."));
    expect(await readTextFile(paper, refuse)).toEqual({
      problem: "paper.pdf was not attached. The file is protected by a password.",
    });
  });

  test("a long paste is one, a short one is not", () => {
    expect(isLong("line\n".repeat(20_000))).toBe(true);
    expect(isLong("a question of two sentences. Or three.")).toBe(false);
  });

  test("garbage kept with a draft costs nothing but itself", () => {
    for (const kept of ["", "{", "null", '[{"name":1}]', "[null]"]) expect(parseFiles(kept)).toEqual([]);
  });
});

test("a text that gets into the field by any way but typing does not freeze it: it goes along as a file", () => {
  const long = "x".repeat(20_000);
  expect(foldInserted("before  after", `before ${long} after`)).toEqual({
    text: "before  after",
    files: [{ name: "Pasted text", text: long }],
  });
  expect(foldInserted("", "short")).toEqual({ text: "short", files: [] });
  const typed = "y".repeat(20_000);
  expect(foldInserted(typed, `${typed}z`)).toEqual({ text: `${typed}z`, files: [] });
});

test("a kept draft too long for the field comes back as a file, with nothing of it lost", () => {
  const draft = "word ".repeat(400_000);
  expect(foldLong(draft)).toEqual({ text: "", files: [{ name: "Pasted text", text: draft }] });
  expect(foldLong("short")).toEqual({ text: "short", files: [] });
});

test("sound is refused in words, and a name does not hide what a file is", async () => {
  const sound = await readTextFile(new File(["ID3"], "song.mp3", { type: "audio/mpeg" }), never);
  expect(sound).toEqual({ problem: expect.stringContaining("sound or video") });
  const turned = await readTextFile(new File(["MZ"], "a\u202Etxt.bat", { type: "text/plain" }), never);
  expect(turned).toEqual({ file: { name: "a\ufffdtxt.bat", text: "MZ" } });
});
