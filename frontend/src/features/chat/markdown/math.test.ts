import { describe, expect, test } from "vitest";
import { mathMarks } from "./math";

describe("mathMarks", () => {
  test.each([
    ["Euler: \\(e^{i\\pi}+1=0\\).", "Euler: $$e^{i\\pi}+1=0$$."],
    ["\\[\n\\int_0^1 x\\,dx\n\\]", "\n$$\n\\int_0^1 x\\,dx\n$$\n"],
    ["where $x$ and $a_i \\le b$ hold", "where $$x$$ and $$a_i \\le b$$ hold"],
    ["$$\\frac{1}{2}$$", "$$\\frac{1}{2}$$"],
  ])("%j is a formula", (written, marked) => expect(mathMarks(written)).toBe(marked));

  test.each([
    "It costs $5 to $10 a month.",
    "between $1,000 and $2,000",
    "US$5 and A$7",
    "set `$HOME` or $PATH and $USER",
    "```sh\necho $a_b $c_d\n```",
    "```sh\necho \\(x\\) still open",
    "escaped \\$x\\$ stays",
    "a $ b_c $ d",
  ])("%j is none", (written) => expect(mathMarks(written)).toBe(written));
});
