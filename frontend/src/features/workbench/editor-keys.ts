import { ensureSyntaxTree, syntaxTree } from "@codemirror/language";
import { openSearchPanel } from "@codemirror/search";
import type { EditorState } from "@codemirror/state";
import { EditorView, type KeyBinding } from "@codemirror/view";

/** What keys in the editor do outside of it. */
export interface EditorActs {
  save: () => void;
  rename: () => void;
  tell: (words: string) => void;
}

const PARSE_MS = 500;

/** Keys that people bring along from their own editor; Find and the rest are CodeMirror's. */
export const editorKeys = (acts: EditorActs): KeyBinding[] => [
  { key: "Mod-s", preventDefault: true, run: () => done(acts.save) },
  { key: "Ctrl-h", mac: "Mod-Alt-f", preventDefault: true, run: openReplace },
  { key: "F2", preventDefault: true, run: () => done(acts.rename) },
  { key: "F12", run: (view) => goToDefinition(view, acts.tell) },
];

function done(act: () => void): true {
  act();
  return true;
}

function openReplace(view: EditorView): boolean {
  openSearchPanel(view);
  const field = view.dom.querySelector<HTMLInputElement>("input[name=replace]");
  field?.focus();
  field?.select();
  return true;
}

/** To where the name under the cursor is defined in this file; false (the key stays the browser's) where there is no name. */
function goToDefinition(view: EditorView, tell: EditorActs["tell"]): boolean {
  const { state } = view;
  const word = state.wordAt(state.selection.main.head);
  const name = word ? state.sliceDoc(word.from, word.to) : "";
  if (!word || !/^[\p{L}_$]/u.test(name)) return false;
  const found = definitionOf(state, name, word.from);
  if (found === null) {
    tell(`No definition of ${name} in this file. Other files are not searched: no language service runs here.`);
  } else {
    view.dispatch({
      selection: { anchor: found, head: found + name.length },
      effects: EditorView.scrollIntoView(found, { y: "center" }),
    });
  }
  return true;
}

/** Where `name` is defined: the nearest place above `from`, else the first below; null where there is none. */
export function definitionOf(state: EditorState, name: string, from: number): number | null {
  const places: number[] = [];
  const tree = ensureSyntaxTree(state, state.doc.length, PARSE_MS) ?? syntaxTree(state);
  tree.iterate({
    enter({ node }) {
      if (node.firstChild || node.to - node.from !== name.length || state.sliceDoc(node.from, node.to) !== name) return;
      const around = node.parent?.name ?? "";
      const defines =
        /(Variable|Type|Property|Label)Definition$/.test(node.name) ||
        (node.name === "VariableName" && /^(FunctionDefinition|ClassDefinition|ParamList)$/.test(around)) ||
        (around === "AssignStatement" && node.nextSibling?.name === "AssignOp");
      if (defines) places.push(node.from);
    },
  });
  return places.findLast((place) => place < from) ?? places[0] ?? null;
}
