import { Lexer } from "marked";

/** A top-level piece of Markdown that can be rendered, and memoised, alone. `start` is its offset in the text. */
export interface Block {
  start: number;
  text: string;
}

export interface Blocks {
  source: string;
  items: readonly Block[];
  /** Link reference definitions, which a block needs though they stand elsewhere. */
  definitions: string;
}

const NONE: Blocks = { source: "", items: [], definitions: "" };

/**
 * Splits Markdown into blocks; given the blocks of a prefix, lexes only from the last one on, since appended text
 * can change no block before it. The blocks' texts joined are the text again.
 */
export function splitBlocks(markdown: string, previous: Blocks = NONE): Blocks {
  const source = markdown.replaceAll("\r\n", "\n");
  if (source === previous.source) return previous;
  const kept = source.startsWith(previous.source) ? previous.items.slice(0, -1) : [];
  const last = kept.at(-1);
  const from = last ? last.start + last.text.length : 0;
  const items = [...kept];
  let start = from;
  for (const token of new Lexer().blockTokens(source.slice(from), [])) {
    const before = items.at(-1);
    // Blank lines belong to the block they follow, so the last block is never only white space.
    if (token.type === "space" && before && items.length > kept.length) {
      items[items.length - 1] = { start: before.start, text: before.text + token.raw };
    } else items.push({ start, text: token.raw });
    start += token.raw.length;
  }
  const definitions = items
    .filter((item) => DEFINITION.test(item.text))
    .map((item) => item.text)
    .join("");
  return { source, items, definitions };
}

const DEFINITION = /^ {0,3}\[[^\]\n]+\]: \S/;
const REFERENCE = /\][[ ]|\](?![(:])/;

/** The text to render for a block: itself and, where it may refer to them, the document's link definitions. */
export function blockSource(block: Block, definitions: string): string {
  return definitions && REFERENCE.test(block.text) && !DEFINITION.test(block.text)
    ? `${block.text.trimEnd()}\n\n${definitions}`
    : block.text;
}
