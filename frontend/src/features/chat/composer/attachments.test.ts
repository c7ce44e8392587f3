import { describe, expect, it } from "vitest";
import { MAX_IMAGE_BYTES, readImages } from "./attachments";

const image = (name: string, bytes = 3) => new File([new Uint8Array(bytes)], name, { type: "image/png" });

describe("readImages", () => {
  it("reads images as data URLs", async () => {
    expect(await readImages([image("a.png")], 0)).toEqual({ images: ["data:image/png;base64,AAAA"], problem: null });
  });

  it("says in words what it leaves out", async () => {
    const text = new File(["x"], "notes.txt", { type: "text/plain" });
    expect((await readImages([text], 0)).problem).toContain("notes.txt is not");
    expect((await readImages([image("big.png", MAX_IMAGE_BYTES + 1)], 0)).problem).toContain("big.png is over");
    const many = await readImages([image("a.png"), image("b.png")], 3);
    expect(many.images).toHaveLength(1);
    expect(many.problem).toContain("At most 4");
  });

  it("does not take SVG, which can carry scripts", async () => {
    const svg = new File(["<svg/>"], "x.svg", { type: "image/svg+xml" });
    expect((await readImages([svg], 0)).images).toEqual([]);
  });
});
