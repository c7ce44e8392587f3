import { describe, expect, it } from "vitest";
import { takeSentences } from "./announce";

describe("takeSentences", () => {
  it("reads whole sentences, never half a word", () => {
    const first = takeSentences("Hello there. How are", 0, false);
    expect(first).toEqual({ text: "Hello there.", taken: 12 });
    expect(takeSentences("Hello there. How are you? I", first.taken, false).text).toBe("How are you?");
  });

  it("reads the rest at the end", () => {
    expect(takeSentences("One. Two", 4, true)).toEqual({ text: "Two", taken: 8 });
  });

  it("does not stop inside a number or a file name", () => {
    expect(takeSentences("Version 3.11 of app.py", 0, false).text).toBe("");
  });

  it("names a code block instead of spelling it, and waits until it is whole", () => {
    const open = "See this:\n```js\nlet x = 1.\n";
    expect(takeSentences(open, 0, false).text).toBe("See this:");
    expect(takeSentences(`${open}\`\`\`\nDone. `, 9, false).text).toBe("Code block. Done.");
  });

  it("drops Markdown's marks", () => {
    expect(takeSentences("## Title\n- **bold** [link](https://x.example) `code`.\n", 0, false).text).toBe(
      "Title bold link code.",
    );
  });
});
