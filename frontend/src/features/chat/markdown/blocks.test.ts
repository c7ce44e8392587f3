import { describe, expect, it } from "vitest";
import { type Block, type Blocks, blockSource, splitBlocks } from "./blocks";

const CORPUS = [
  "# Title\n\nA paragraph with **bold**\nand a second line.\n\n- one\n- two\n\n  still two\n\n1. a\n   - b\n\n```python\nx = 1\n\n\ny = 2\n```\n\nend",
  "| a | b |\n| - | - |\n| 1 | 2 |\n\ntext\n===\n\n> quote\n> more\n\nafter\n    not code\n\n    code\n\n\n\n<div>\nhtml\n</div>\n\n***\n",
  "~~~\nunclosed fence\n\n# not a heading\n",
  "See [the docs][1] and [a].\n\n[1]: https://example.com\n[a]: https://example.org\n\nmore",
  "\n\n  leading blank\n\n- [ ] task\n- [x] done\n\n\n",
];

const texts = (blocks: Blocks) => blocks.items.map((item) => item.text);

describe("splitBlocks", () => {
  it("loses no character", () => {
    for (const markdown of CORPUS) expect(texts(splitBlocks(markdown)).join("")).toBe(markdown);
  });

  it("gives the same blocks however the text arrives", () => {
    for (const markdown of CORPUS) {
      for (const step of [1, 3, 7]) {
        let blocks: Blocks | undefined;
        for (let end = step; end < markdown.length + step; end += step) blocks = splitBlocks(markdown.slice(0, end), blocks);
        expect(texts(blocks as Blocks), JSON.stringify({ markdown, step })).toEqual(texts(splitBlocks(markdown)));
      }
    }
  });

  it("keeps finished blocks identical, so that they are not rendered again", () => {
    const before = splitBlocks("one\n\ntwo\n\nthr");
    const after = splitBlocks("one\n\ntwo\n\nthree\n\nfour", before);
    expect(after.items[0]).toBe(before.items[0]);
    expect(after.items[1]).toBe(before.items[1]);
  });

  it("starts again when the text was replaced", () => {
    expect(texts(splitBlocks("other", splitBlocks("one\n\ntwo")))).toEqual(["other"]);
  });

  it("keeps a code block with blank lines in one piece while its fence is open", () => {
    expect(splitBlocks("intro\n\n```js\na\n\nb\n").items).toHaveLength(2);
  });

  it("reads CRLF like LF", () => {
    expect(texts(splitBlocks("a\r\n\r\nb"))).toEqual(texts(splitBlocks("a\n\nb")));
  });
});

describe("blockSource", () => {
  it("lets a block use a definition that stands elsewhere", () => {
    const blocks = splitBlocks("See [the docs][1].\n\nplain\n\n[1]: https://example.com\n");
    const [first, second] = blocks.items;
    expect(blockSource(first as Block, blocks.definitions)).toContain("[1]: https://example.com");
    expect(blockSource(second as Block, blocks.definitions)).toBe(second?.text);
  });
});
