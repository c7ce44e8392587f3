/** What is ready to be read out, and the offset up to which the text has been taken. */
export interface Announcement {
  text: string;
  taken: number;
}

const SENTENCE_END = /[.!?…:][)"'”’\]]*(?=\s)|[。！？]|\n/g;

/** The whole sentences of a growing answer after `taken`; a fenced block is named, not read out. */
export function takeSentences(answer: string, taken: number, final: boolean): Announcement {
  const rest = answer.slice(taken);
  let end = final ? rest.length : 0;
  if (!final) for (const match of rest.matchAll(SENTENCE_END)) end = match.index + match[0].length;
  const open = openFence(answer.slice(0, taken + end));
  if (open >= 0 && !final) end = Math.max(0, open - taken);
  return { text: plain(rest.slice(0, end)), taken: taken + end };
}

/** Offset of a fence that is not yet closed, or -1. */
function openFence(text: string): number {
  let open = -1;
  for (const match of text.matchAll(/^ {0,3}(?:```|~~~)/gm)) open = open < 0 ? match.index : -1;
  return open;
}

/** Markdown as words: no marks, no code, links by their text. */
function plain(markdown: string): string {
  return markdown
    .replace(/^ {0,3}(```|~~~)[^\n]*\n[\s\S]*?(?:^ {0,3}\1[^\n]*$|$(?![\s\S]))/gm, " Code block. ")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/^\s*(?:[-*+]|#{1,6}|>|\|)\s*/gm, "")
    .replace(/^[\s|:-]+$/gm, "")
    .replace(/[*_`~|]+/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
