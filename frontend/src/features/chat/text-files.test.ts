import { describe, expect, test } from "vitest";
import { isLong, parseFiles, readTextFile, withFiles } from "./text-files";

describe("text files", () => {
  test("go along as fenced text that nothing in them can end", () => {
    const asked = withFiles("Why?", [{ name: "notes.md", text: "a\n```py\nx\n```\n" }]);
    expect(asked).toBe("Why?\n\nnotes.md:\n\n````md\na\n```py\nx\n```\n````");
    expect(withFiles("", [{ name: "Makefile", text: "all:" }])).toBe("Makefile:\n\n```\nall:\n```");
  });

  test("in an old encoding are read, not garbled", async () => {
    const latin = new File([Uint8Array.from([0x63, 0x61, 0x66, 0xe9])], "menu.csv");
    expect(await readTextFile(latin)).toEqual({ file: { name: "menu.csv", text: "café" } });
  });

  test("that are none are refused in words", async () => {
    for (const file of [
      new File([Uint8Array.from([0, 1, 2])], "a.bin"),
      new File(["%PDF-1.7"], "paper.pdf"),
      new File(["x".repeat(1_000_001)], "big.log"),
    ]) {
      expect(await readTextFile(file)).toHaveProperty("problem", expect.stringContaining(file.name));
    }
  });

  test("a long paste is one, a short one is not", () => {
    expect(isLong("line\n".repeat(20_000))).toBe(true);
    expect(isLong("a question of two sentences. Or three.")).toBe(false);
  });

  test("garbage kept with a draft costs nothing but itself", () => {
    for (const kept of ["", "{", "null", '[{"name":1}]', "[null]"]) expect(parseFiles(kept)).toEqual([]);
  });
});
