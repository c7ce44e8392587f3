import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** Colours come from VS Code's variables and from tokens of our own for syntax, so every theme applies at once. */
export const editorLook = [
  EditorView.theme({
    "&": {
      height: "100%",
      color: "var(--vscode-editor-foreground)",
      backgroundColor: "var(--vscode-editor-background)",
      fontSize: "13px",
    },
    ".cm-scroller": {
      fontFamily: "var(--vscode-editor-font-family, 'Cascadia Code', Consolas, 'Liberation Mono', monospace)",
      lineHeight: "1.55",
    },
    ".cm-content": { caretColor: "var(--vscode-editor-foreground)", padding: "8px 0" },
    "&.cm-focused": { outline: "2px solid var(--vscode-focusBorder)", outlineOffset: "-2px" },
    ".cm-cursor": { borderLeftColor: "var(--vscode-editor-foreground)", borderLeftWidth: "2px" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, .cm-content ::selection":
      {
        backgroundColor: "var(--vscode-editor-selectionBackground) !important",
      },
    ".cm-gutters": {
      backgroundColor: "var(--vscode-editor-background)",
      color: "var(--vscode-editorLineNumber-foreground)",
      border: "none",
    },
    ".cm-lineNumbers .cm-gutterElement": { paddingLeft: "16px" },
    ".cm-activeLine": { backgroundColor: "var(--vscode-editor-lineHighlightBackground)" },
    ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--vscode-editorLineNumber-activeForeground)" },
    ".cm-panels": { backgroundColor: "var(--vscode-editorWidget-background)", color: "var(--vscode-foreground)" },
    ".cm-panels-bottom": { borderTop: "1px solid var(--vscode-panel-border)" },
    ".cm-textfield, .cm-button, .cm-panel.cm-search label, .cm-panel.cm-search [name=close]": { minHeight: "24px" },
    ".cm-panel.cm-search": { padding: "6px 30px 6px 8px", fontSize: "12px" },
    ".cm-panel.cm-search label": { display: "inline-flex", alignItems: "center", gap: "4px", fontSize: "12px" },
    ".cm-panel.cm-search input[type=checkbox]": { width: "16px", height: "16px", margin: "4px" },
    ".cm-panel.cm-search [name=close]": { minWidth: "24px", color: "inherit", fontSize: "16px" },
    ".cm-selectionMatch, .cm-searchMatch": {
      backgroundColor: "transparent !important",
      outline: "1px solid var(--vscode-focusBorder)",
    },
    ".cm-searchMatch-selected": { outlineWidth: "2px" },
    ".cm-textfield": {
      backgroundColor: "var(--vscode-input-background)",
      color: "var(--vscode-input-foreground)",
      border: "1px solid var(--vscode-input-border)",
    },
    ".cm-button": {
      backgroundImage: "none",
      backgroundColor: "var(--vscode-button-secondaryBackground)",
      color: "var(--vscode-button-secondaryForeground)",
      border: "1px solid var(--vscode-input-border)",
    },
    ".cm-tooltip": {
      backgroundColor: "var(--vscode-editorWidget-background)",
      border: "1px solid var(--vscode-panel-border)",
    },
    ".cm-changedLine": { backgroundColor: "var(--vscode-diffEditor-insertedLineBackground) !important" },
    ".cm-deletedChunk": { backgroundColor: "var(--vscode-diffEditor-removedLineBackground) !important" },
    ".cm-deletedChunk .cm-deletedText": { background: "none !important", textDecoration: "line-through" },
    ".cm-chunkButtons button": {
      minHeight: "24px",
      padding: "0 8px",
      margin: "2px",
      borderRadius: "3px",
      border: "1px solid var(--vscode-panel-border)",
    },
    ".cm-chunkButtons button[name=accept]": {
      background: "var(--vscode-button-background)",
      color: "var(--vscode-button-foreground)",
    },
    ".cm-chunkButtons button[name=reject]": {
      background: "var(--vscode-button-secondaryBackground)",
      color: "var(--vscode-button-secondaryForeground)",
    },
  }),
  syntaxHighlighting(
    HighlightStyle.define([
      { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: "var(--syntax-keyword)" },
      { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--syntax-string)" },
      { tag: [tags.number, tags.bool, tags.null], color: "var(--syntax-number)" },
      { tag: [tags.comment, tags.lineComment, tags.blockComment], color: "var(--syntax-comment)", fontStyle: "italic" },
      { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "var(--syntax-function)" },
      { tag: [tags.typeName, tags.className, tags.tagName], color: "var(--syntax-type)" },
      { tag: [tags.propertyName, tags.attributeName, tags.definition(tags.variableName)], color: "var(--syntax-name)" },
      { tag: tags.heading, fontWeight: "bold", color: "var(--syntax-keyword)" },
      { tag: tags.link, textDecoration: "underline", color: "var(--vscode-textLink-foreground)" },
      { tag: tags.invalid, color: "var(--vscode-errorForeground)" },
    ]),
  ),
];
