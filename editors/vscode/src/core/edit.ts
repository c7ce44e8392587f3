import type { Turn } from "./chat";

/** A piece of a file that a model is to change, or to write where `selected` is empty. */
export interface Piece {
  path: string;
  /** The editor's name of the language, such as `python`. */
  language: string;
  before: string;
  selected: string;
  after: string;
  wish: string;
}

/** Characters of the file around the piece that the model sees. */
const AROUND = 4_000;
const HERE = "<<<HERE>>>";

const rules = [
  "You change files in a code editor.",
  "Answer with the new text of the marked piece only, in one code fence, whole and ready to be put in place of it.",
  "Keep the indentation, the line ends and the style of the file. No explanations.",
].join(" ");

/** What is asked of the model. The text of the file is data: it stands in fences that it can't close. */
export function editTurns({ path, language, before, selected, after, wish }: Piece): Turn[] {
  const near = `${before.slice(-AROUND)}${selected ? "" : HERE}${selected}${after.slice(0, AROUND)}`;
  const fence = fenceFor(near);
  const what = selected
    ? `The piece to replace:\n${fence}${language}\n${selected}\n${fence}`
    : `Write what belongs at the mark ${HERE}.`;
  const asked = `File ${path}:\n${fence}${language}\n${near}\n${fence}\n\n${what}\n\nWhat is wanted: ${wish}`;
  return [
    { role: "system", parts: [{ kind: "text", text: rules }] },
    { role: "user", parts: [{ kind: "text", text: asked }] },
  ];
}

/** A fence longer than any run of backticks in the text. */
function fenceFor(text: string): string {
  const longest = [...text.matchAll(/`+/g)].reduce((most, [run]) => Math.max(most, run.length), 2);
  return "`".repeat(longest + 1);
}

/**
 * The code of an answer: its longest fenced block, or the whole of it where nothing is fenced. The piece's own last line end stays as it
 * was, and so do its line ends: the answer must not turn a file of CRLF into a mixed one.
 */
export function codeOf(answer: string, piece: Pick<Piece, "selected" | "after">): string {
  const blocks = [...answer.matchAll(/^(`{3,}|~{3,})[^\n]*\n([\s\S]*?)^\1[ \t]*$/gm)].map(([, , body]) => body ?? "");
  const open = /^(?:`{3,}|~{3,})[^\n]*\n([\s\S]*)$/m.exec(answer)?.[1];
  const found = blocks.length > 0 ? blocks.reduce((a, b) => (b.length > a.length ? b : a)) : (open ?? answer);
  const lines = found.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  const kept = /\r?\n$/.test(piece.selected) ? `${lines}\n` : lines;
  return `${piece.selected}${piece.after}`.includes("\r\n") ? kept.replaceAll("\n", "\r\n") : kept;
}
