import { beforeEach, describe, expect, test, vi } from "vitest";
import { memoryHost, memoryShelf } from "@/shared/lib/test-host";
import { PLAIN } from "@/shared/lib/text-bytes";
import type { EditorPort } from "./workbench-state";
import { Workbench } from "./workbench-store";

let shelf = memoryShelf();

beforeEach(() => {
  shelf = memoryShelf();
});

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

/** A tab of this browser, with what was kept before. */
async function tab(owner = ""): Promise<Workbench> {
  const workbench = new Workbench(shelf, memoryHost().storage);
  await workbench.belongTo(owner);
  return workbench;
}

async function opened(text: string, selected = ""): Promise<Workbench> {
  const workbench = await tab();
  workbench.open([{ name: "a.py", text, form: PLAIN }]);
  workbench.attach(fakeEditor(workbench, selected));
  return workbench;
}

const named = (workbench: Workbench, name: string) => workbench.store.getState().files.find((file) => file.name === name);
const write = (workbench: Workbench, text: string) => workbench.edit(workbench.active?.id ?? "", text);

describe("proposed code", () => {
  test("rejecting gives back exactly what was there", async () => {
    const workbench = await opened("one\ntwo\n", "two");
    workbench.proposeEdit("2");
    expect(workbench.active?.text).toBe("one\n2\n");
    workbench.reject();
    expect(workbench.active).toMatchObject({ text: "one\ntwo\n" });
    expect(workbench.active?.original).toBeUndefined();
  });

  test("a second proposal is still compared with what the user wrote", async () => {
    const workbench = await opened("mine");
    workbench.proposeEdit("first");
    workbench.proposeEdit("second");
    workbench.reject();
    expect(workbench.active?.text).toBe("mine");
  });

  test("the same code again is no change to decide on", async () => {
    const workbench = await opened("mine");
    workbench.proposeEdit("mine");
    expect(workbench.active?.original).toBeUndefined();
  });

  test("waits for the editor, and asks for it, when another page is open", async () => {
    const workbench = await tab();
    workbench.onNeedEditor = vi.fn();
    workbench.proposeEdit("later");
    expect(workbench.onNeedEditor).toHaveBeenCalled();
    workbench.attach(fakeEditor(workbench, ""));
    expect(workbench.active?.text).toBe("later");
  });

  test("is still a question after another file was looked at, and after a reload", async () => {
    const workbench = await opened("mine");
    const { id } = workbench.active ?? { id: "" };
    workbench.proposeEdit("theirs");
    workbench.newScratch();
    workbench.activate(id);
    expect(workbench.active?.original).toBe("mine");
    await workbench.flush();
    const again = await tab();
    again.activate(id);
    again.attach(fakeEditor(again, ""));
    expect(again.active).toMatchObject({ text: "theirs", original: "mine" });
    again.reject();
    expect(again.active?.text).toBe("mine");
  });
});

describe("what was open", () => {
  test("is kept and restored, unsaved text too, however large", async () => {
    const workbench = await opened("let a");
    write(workbench, "x".repeat(3_000_000));
    workbench.open([{ name: "b.ts", text: "let b", form: { ...PLAIN, ends: "crlf" } }]);
    await workbench.flush();
    const again = await tab();
    expect(named(again, "a.py")?.text).toHaveLength(3_000_000);
    expect(named(again, "b.ts")).toMatchObject({ text: "let b", form: { ends: "crlf" }, language: "typescript" });
  });

  test("garbage on the shelf costs nothing but itself", async () => {
    await shelf.put([{ owner: "", id: "f1" }]);
    expect((await tab()).active?.name).toBe("scratch.py");
  });

  test("closing the last file leaves a new one to write in", async () => {
    const workbench = await opened("x");
    for (const { id } of workbench.store.getState().files) workbench.close(id);
    expect(workbench.store.getState().files).toHaveLength(1);
    expect(workbench.active).toBeDefined();
  });

  test("a browser that can't keep it says so, and it is kept once it can", async () => {
    vi.useFakeTimers();
    const put = vi.spyOn(shelf, "put").mockRejectedValue(new Error("full"));
    const workbench = await opened("precious");
    await workbench.flush();
    expect(workbench.store.getState().keeping).toBe("failed");
    put.mockRestore();
    await vi.advanceTimersByTimeAsync(3000);
    vi.useRealTimers();
    expect(workbench.store.getState().keeping).toBe("kept");
    expect(named(await tab(), "a.py")?.text).toBe("precious");
  });
});

describe("two tabs", () => {
  test("each keeps what the other one writes into another file", async () => {
    const [one, two] = [await opened("1"), await tab()];
    two.open([{ name: "b.py", text: "2", form: PLAIN }]);
    write(one, "one");
    write(two, "two");
    await Promise.all([one.flush(), two.flush()]);
    const again = await tab();
    expect([named(again, "a.py")?.text, named(again, "b.py")?.text]).toEqual(["one", "two"]);
  });

  test("the first scratch file is one file in every tab", async () => {
    const [one, two] = [await tab(), await tab()];
    write(one, "from one");
    await one.flush();
    expect(two.store.getState().files.map(({ text }) => text)).toEqual(["from one"]);
  });

  test("a file that is open in both follows the one that is typed in", async () => {
    const one = await opened("a");
    await one.flush();
    const two = await tab();
    write(one, "ab");
    await one.flush();
    expect(named(two, "a.py")).toMatchObject({ text: "ab", revision: 1 });
  });

  test("typed in both at once, neither text is lost", async () => {
    const one = await opened("a");
    await one.flush();
    const two = await tab();
    two.activate(one.active?.id ?? "");
    write(one, "from one");
    write(two, "from two");
    await one.flush();
    await two.flush();
    await one.flush();
    const texts = (await tab()).store.getState().files.map(({ text }) => text);
    expect(texts).toEqual(expect.arrayContaining(["from one", "from two"]));
  });

  test("a file closed there goes here too, unless it is being written here", async () => {
    const one = await opened("a");
    one.open([{ name: "b.py", text: "b", form: PLAIN }]);
    await one.flush();
    const two = await tab();
    two.activate(named(two, "b.py")?.id ?? "");
    write(two, "b, still typing");
    one.close(named(one, "a.py")?.id ?? "");
    one.close(named(one, "b.py")?.id ?? "");
    await one.flush();
    await two.flush();
    expect(named(two, "a.py")).toBeUndefined();
    expect(named(await tab(), "b.py")?.text).toBe("b, still typing");
  });
});

describe("whose they are", () => {
  test("the next user of this browser sees nothing of the last one's files", async () => {
    const workbench = await tab("ada");
    workbench.open([{ name: "secret.py", text: "password", form: PLAIN }]);
    await workbench.flush();
    await workbench.belongTo("bob");
    expect(named(workbench, "secret.py")).toBeUndefined();
    await workbench.belongTo("ada");
    expect(named(workbench, "secret.py")?.text).toBe("password");
  });

  test("what was written before signing in comes along", async () => {
    const workbench = await opened("");
    write(workbench, "a draft");
    await workbench.belongTo("ada");
    await workbench.flush();
    expect(named(await tab("ada"), "a.py")?.text).toBe("a draft");
    expect(named(await tab(), "a.py")).toBeUndefined();
  });

  test("two scratch files of the same id, the visitor's and the account's, both stay", async () => {
    const ada = await tab("ada");
    write(ada, "hers before");
    await ada.flush();
    const visitor = await tab();
    write(visitor, "written before signing in");
    await visitor.belongTo("ada");
    await visitor.flush();
    const texts = (await tab("ada")).store.getState().files.map(({ text }) => text);
    expect(texts).toEqual(expect.arrayContaining(["hers before", "written before signing in"]));
  });

  test("signing out leaves nothing on this device", async () => {
    const workbench = await tab("ada");
    workbench.open([{ name: "secret.py", text: "password", form: PLAIN }]);
    await workbench.flush();
    const forgotten = workbench.forget();
    await workbench.belongTo("");
    await forgotten;
    expect([...shelf.items.keys()].filter((key) => key.startsWith("ada"))).toEqual([]);
    expect(named(await tab("ada"), "secret.py")).toBeUndefined();
  });
});
