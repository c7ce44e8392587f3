import { getChunks, unifiedMergeView } from "@codemirror/merge";
import { Compartment, EditorState, Transaction } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { basicSetup } from "codemirror";
import { useEffect, useEffectEvent, useRef } from "react";
import { type EditorActs, editorKeys } from "./editor-keys";
import { loadLanguage } from "./editor-languages";
import { editorLook } from "./editor-look";
import type { WorkFile } from "./work-file";
import type { EditorPort } from "./workbench-state";
import type { Workbench } from "./workbench-store";

const language = new Compartment();
const diff = new Compartment();
const label = new Compartment();

const named = (name: string) => EditorView.contentAttributes.of({ "aria-label": `Editor, ${name}`, tabindex: "0" });

function report(workbench: Workbench, state: EditorState): void {
  const { head, from, to } = state.selection.main;
  const line = state.doc.lineAt(head);
  workbench.moveCursor({ line: line.number, column: head - line.from + 1, selected: to - from });
}

/** What another tab wrote: shown, but neither told back to the store nor undone by this tab's Ctrl+Z. */
function fromElsewhere(state: EditorState, text: string): Transaction {
  const now = state.doc.toString();
  let start = 0;
  while (start < now.length && now[start] === text[start]) start += 1;
  let end = 0;
  while (end < Math.min(now.length, text.length) - start && now.at(-1 - end) === text.at(-1 - end)) end += 1;
  return state.update({
    changes: { from: start, to: now.length - end, insert: text.slice(start, text.length - end) },
    annotations: Transaction.addToHistory.of(false),
  });
}

function newState(workbench: Workbench, file: WorkFile, acts: EditorActs): EditorState {
  const begun = EditorState.create({
    doc: file.original ?? file.text,
    extensions: [
      // Alone, carriage returns are characters of the text: only so does a file with mixed ends come back as it was.
      file.form.ends === "mixed" ? EditorState.lineSeparator.of("\n") : [],
      keymap.of(editorKeys(acts)),
      basicSetup,
      // No indentWithTab: Tab must leave the editor (WCAG 2.1.2); Ctrl-] and Ctrl-[ indent.
      editorLook,
      language.of([]),
      diff.of([]),
      label.of(named(file.name)),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) workbench.edit(file.id, update.state.doc.toString());
        if (update.docChanged || update.selectionSet) report(workbench, update.state);
        const before = getChunks(update.startState)?.chunks.length ?? 0;
        // The last part was taken or left by its own button; a file that came to the front is no such answer.
        if (update.docChanged && before > 0 && getChunks(update.state)?.chunks.length === 0) workbench.accept();
      }),
    ],
  });
  // A proposal that outlived a reload can still be undone, as when it was made.
  return begun.update({ changes: { from: 0, to: begun.doc.length, insert: file.text } }).state;
}

function portOf(view: EditorView): EditorPort {
  return {
    insert(text) {
      const { from, to } = view.state.selection.main;
      view.dispatch({
        changes: { from, to, insert: text },
        selection: { anchor: from + text.length },
        scrollIntoView: true,
        userEvent: "input.paste",
      });
    },
    selection() {
      const { from, to } = view.state.selection.main;
      if (from === to) return null;
      const { doc } = view.state;
      return { text: doc.sliceString(from, to), fromLine: doc.lineAt(from).number, toLine: doc.lineAt(to).number };
    },
    replace(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    withSelectionReplaced(replacement) {
      const { from, to } = view.state.selection.main;
      if (from === to) return replacement;
      const { doc } = view.state;
      const ends = doc.sliceString(from, to).endsWith("\n") && !replacement.endsWith("\n") ? "\n" : "";
      return doc.sliceString(0, from) + replacement + ends + doc.sliceString(to);
    },
    focus: () => view.focus(),
  };
}

export interface CodeEditorProps extends EditorActs {
  workbench: Workbench;
  file: WorkFile;
  /** While set, the text is shown as a diff against it. */
  original: string | null;
}

/**
 * CodeMirror in a shadow root: there it uses constructed style sheets instead of a style element, so `style-src 'self'` suffices.
 * Each file keeps its own undo history while it is open.
 */
export function CodeEditor({ workbench, file, original, ...acts }: CodeEditorProps) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const states = useRef(new Map<string, EditorState>());
  const shown = useRef<string | null>(null);
  const save = useEffectEvent(acts.save);
  const rename = useEffectEvent(acts.rename);
  const tell = useEffectEvent(acts.tell);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const made = new EditorView({ parent: root, root });
    made.dom.style.height = "100%";
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
      shown.current = null;
    };
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the text flows out of the editor; only another file or name flows in
  useEffect(() => {
    const made = view.current;
    if (!made) return;
    if (shown.current && shown.current !== file.id) states.current.set(shown.current, made.state);
    if (shown.current !== file.id) {
      shown.current = file.id;
      made.setState(states.current.get(file.id) ?? newState(workbench, file, { save, rename, tell }));
      report(workbench, made.state);
    }
    let current = true;
    void loadLanguage(file.language).then((extension) => {
      if (current && view.current === made) made.dispatch({ effects: language.reconfigure(extension) });
    });
    return () => {
      current = false;
    };
  }, [workbench, file.id, file.language]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: file.id: the state of a file that comes back may have its old name
  useEffect(() => {
    view.current?.dispatch({ effects: label.reconfigure(named(file.name)) });
  }, [file.id, file.name]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: revision: only then has the text come from elsewhere
  useEffect(() => {
    const made = view.current;
    if (made && made.state.doc.toString() !== file.text) made.dispatch(fromElsewhere(made.state, file.text));
  }, [file.id, file.revision]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: file.id: a file that comes back to the front may bring an old diff along
  useEffect(() => {
    const extension = original === null ? [] : unifiedMergeView({ original, mergeControls: true, gutter: true });
    view.current?.dispatch({ effects: diff.reconfigure(extension) });
  }, [original, file.id]);

  // Last, when the file's text is there: what waited for an editor is done to it at once.
  useEffect(() => (view.current ? workbench.attach(portOf(view.current)) : undefined), [workbench]);

  return <div ref={box} className="h-full min-h-0 overflow-hidden" data-testid="code-editor" />;
}
