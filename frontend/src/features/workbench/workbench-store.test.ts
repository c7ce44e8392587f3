import { describe, expect, test, vi } from "vitest";
import type { HostStorage } from "@/hosts/host";
import { type EditorPort, Workbench } from "./workbench-store";

function memory(entries: [string, string][] = []): HostStorage & { kept: Map<string, string> } {
  const kept = new Map(entries);
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
    subscribe: () => () => {},
  };
}

/** An editor that holds plain text with a selection. */
function fakeEditor(workbench: Workbench, selected: string): EditorPort {
  const text = () => workbench.active?.text ?? "";
  const write = (next: string) => workbench.edit(workbench.active?.id ?? "", next);
  return {
    insert: (inserted) => write(text().replace(selected, inserted)),
    selection: () => (selected ? { text: selected, fromLine: 1, toLine: 1 } : null),
    replace: write,
    withSelectionReplaced: (replacement) => (selected ? text().replace(selected, replacement) : replacement),
    focus: () => {},
  };
}

function opened(text: string, selected = ""): Workbench {
  const workbench = new Workbench(memory());
  workbench.open([{ name: "a.py", text }]);
  workbench.attach(fakeEditor(workbench, selected));
  return workbench;
}

describe("proposed code", () => {
  test("rejecting gives back exactly what was there", () => {
    const workbench = opened("one\ntwo\n", "two");
    workbench.proposeEdit("2");
    expect(workbench.active?.text).toBe("one\n2\n");
    workbench.reject();
    expect(workbench.active?.text).toBe("one\ntwo\n");
    expect(workbench.store.getState().proposal).toBeNull();
  });

  test("a second proposal is still compared with what the user wrote", () => {
    const workbench = opened("mine");
    workbench.proposeEdit("first");
    workbench.proposeEdit("second");
    workbench.reject();
    expect(workbench.active?.text).toBe("mine");
  });

  test("the same code again is no change to decide on", () => {
    const workbench = opened("mine");
    workbench.proposeEdit("mine");
    expect(workbench.store.getState().proposal).toBeNull();
  });

  test("waits for the editor, and asks for it, when another page is open", () => {
    const workbench = new Workbench(memory());
    workbench.onNeedEditor = vi.fn();
    workbench.proposeEdit("later");
    expect(workbench.onNeedEditor).toHaveBeenCalled();
    workbench.attach(fakeEditor(workbench, ""));
    expect(workbench.active?.text).toBe("later");
  });
});

describe("what was open", () => {
  test("is kept and restored, unsaved text too", async () => {
    const storage = memory();
    const workbench = new Workbench(storage);
    workbench.open([{ name: "b.ts", text: "let a" }]);
    workbench.edit(workbench.active?.id ?? "", "let a = 1");
    await vi.waitFor(() => expect(storage.kept.size).toBe(1));
    const again = new Workbench(memory([...storage.kept]));
    expect(again.active).toMatchObject({ name: "b.ts", text: "let a = 1", saved: "let a", language: "typescript" });
  });

  test("garbage in storage costs nothing but itself", () => {
    for (const garbage of ["{", "[]", '{"files": [{"id": 1}]}', "null"]) {
      expect(new Workbench(memory([["marketplace.workbench", garbage]])).active?.name).toBe("scratch.py");
    }
  });

  test("closing the last file leaves a new one to write in", () => {
    const workbench = opened("x");
    for (const { id } of workbench.store.getState().files) workbench.close(id);
    expect(workbench.store.getState().files).toHaveLength(1);
    expect(workbench.active).toBeDefined();
  });
});
