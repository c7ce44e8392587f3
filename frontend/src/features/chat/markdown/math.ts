/** Parts of Markdown that hold no mathematics: fenced code, also an unfinished fence, and code in a line. */
const CODE = /(^[ \t]*(?:```|~~~)[\s\S]*?(?:^[ \t]*(?:```|~~~)[ \t]*$|$(?![\s\S]))|``[^`]*``|`[^`\n]*`)/m;
const PARENTHESES = /\\\(([\s\S]+?)\\\)/g;
const BRACKETS = /\\\[([\s\S]+?)\\\]/g;
/** One dollar each side: nothing blank at its inner edges, no digit behind it, and something that only a formula has. */
const DOLLARS = /(?<![\\$\w])\$(?![\s$])([^$\n]*?[^\s\\$])\$(?![\d$])/g;
const FORMULA = /[\\^_={}<>]|^[A-Za-z]$|^[A-Za-z0-9]+\s*[+\-*/]\s*[A-Za-z0-9]+$/;

/** Models write formulas in four ways; the reader of Markdown takes one, `$$…$$`. "$5 to $10" is no formula. */
export function mathMarks(markdown: string): string {
  if (!/\\[([]|\$/.test(markdown)) return markdown;
  return markdown
    .split(CODE)
    .map((part, index) => (index % 2 === 1 ? part : marks(part)))
    .join("");
}

function marks(text: string): string {
  return text
    .replace(BRACKETS, (_, tex: string) => `\n$$\n${tex.trim()}\n$$\n`)
    .replace(PARENTHESES, (_, tex: string) => between(tex.trim()))
    .replace(DOLLARS, (whole, tex: string) => (FORMULA.test(tex) ? between(tex) : whole));
}

const between = (tex: string) => ["$$", tex, "$$"].join("");
