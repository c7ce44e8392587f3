import { javascript } from "@codemirror/lang-javascript";
import { python } from "@codemirror/lang-python";
import { EditorState } from "@codemirror/state";
import { expect, test } from "vitest";
import { definitionOf } from "./editor-keys";

/** The text from which `name`, seen from the end of `doc`, is defined. */
function found(doc: string, name: string, extension = python()): string | null {
  const place = definitionOf(EditorState.create({ doc, extensions: extension }), name, doc.length);
  return place === null ? null : doc.slice(place, place + name.length + 3);
}

test("F12 leads to a definition, not to the first use", () => {
  expect(found("print(f)\ndef f(x):\n    pass\nf(1)", "f")).toBe("f(x)");
  expect(found("use(a)\na = 1\na", "a")).toBe("a = ");
  expect(found("class K:\n    pass\nK()", "K")).toBe("K:\n ");
  expect(found("f();\nfunction f() {}\nf()", "f", javascript())).toBe("f() ");
  expect(found("x;\nconst x = 1;\nx", "x", javascript())).toBe("x = ");
});

test("what is defined elsewhere is not guessed", () => {
  expect(found("import os\nprint(os)", "print")).toBeNull();
});
