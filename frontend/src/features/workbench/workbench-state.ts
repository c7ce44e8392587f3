import { PLAIN } from "@/shared/lib/text-bytes";
import type { WorkFile } from "./work-file";

export interface WorkbenchState {
  files: WorkFile[];
  activeId: string;
  /** False until what was open before has been read. */
  loaded: boolean;
  /** What was typed is on the shelf; on its way there; or can't be kept, and would be lost with the page. */
  keeping: "kept" | "pending" | "failed";
  cursor: { line: number; column: number; selected: number };
}

/** The mounted editor, as far as the store needs it. */
export interface EditorPort {
  insert(text: string): void;
  selection(): { text: string; fromLine: number; toLine: number } | null;
  /** Replaces the whole text, as one undoable step. */
  replace(text: string): void;
  /** The text with `replacement` in place of the selection, or in place of everything if nothing is selected. */
  withSelectionReplaced(replacement: string): string;
  focus(): void;
}

const welcome = `# A scratch file, kept in this browser.
#
# 1. Pick a model on the left, or describe your
#    task and ask Q Assistant for one.
# 2. Select code here and ask about it in the chat.
# 3. Put the answer in at the cursor, or look at
#    it as a diff first.
#
# Ctrl+K (Cmd+K): every command.  ?: all keys.


def greet(name: str) -> str:
    return f"Hello, {name}"
`;

/** What is open where nothing was before. */
export function fresh(): Pick<WorkbenchState, "files" | "activeId"> {
  // The same id in every tab: what is written into it in one is seen in the others, not a second file of that name.
  const id = "scratch";
  const file = { id, name: "scratch.py", language: "python", form: PLAIN, saved: welcome, text: welcome };
  return { files: [{ ...file, kept: welcome, revision: 0 }], activeId: id };
}

export const isWritten = ({ text, saved }: WorkFile): boolean => text !== saved;
