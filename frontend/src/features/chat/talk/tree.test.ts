import { describe, expect, it } from "vitest";
import {
  activePath,
  addNode,
  buildTree,
  choose,
  emptyTree,
  pathTo,
  removeNode,
  renameNode,
  siblings,
  type TreeNode,
  updateNode,
} from "./tree";

interface Node extends TreeNode {
  content: string;
}
const node = (id: string, parentId: string | null, content = id): Node => ({ id, parentId, content });
const shown = (tree: ReturnType<typeof buildTree<Node>>) => activePath(tree).map((each) => each.id);

const chat = buildTree([
  node("q1", null),
  node("a1", "q1"),
  node("q2", "a1"),
  node("a2", "q2"),
  node("a1b", "q1"),
  node("q2b", "a1b"),
]);

describe("message tree", () => {
  it("shows the newest branch after loading", () => {
    expect(shown(chat)).toEqual(["q1", "a1b", "q2b"]);
  });

  it("comes back to the whole old branch, not only to its first message", () => {
    expect(shown(choose(chat, "a1"))).toEqual(["q1", "a1", "q2", "a2"]);
    expect(siblings(chat, "a1b")).toEqual({ ids: ["a1", "a1b"], index: 1 });
  });

  it("an edit of the first message makes a second root and loses nothing", () => {
    const edited = addNode(chat, node("q1b", null));
    expect(shown(edited)).toEqual(["q1b"]);
    expect(siblings(edited, "q1b")).toEqual({ ids: ["q1", "q1b"], index: 1 });
    expect(shown(choose(edited, "q1"))).toEqual(["q1", "a1b", "q2b"]);
  });

  it("takes the server's id without moving the message", () => {
    const local = addNode(addNode(emptyTree<Node>(), node("tmp1", null)), node("tmp2", "tmp1"));
    const renamed = renameNode(renameNode(local, "tmp1", "m1"), "tmp2", "m2");
    expect(shown(renamed)).toEqual(["m1", "m2"]);
    expect(renamed.nodes.get("m2")?.parentId).toBe("m1");
  });

  it("renaming to an id that is taken changes nothing", () => {
    expect(renameNode(chat, "q1", "a1")).toBe(chat);
  });

  it("removing a branch removes what hangs below it and shows the sibling", () => {
    const pruned = removeNode(chat, "a1b");
    expect(shown(pruned)).toEqual(["q1", "a1", "q2", "a2"]);
    expect(pruned.nodes.has("q2b")).toBe(false);
  });

  it("an update changes one node and leaves the others identical", () => {
    const updated = updateNode(chat, "q1", { content: "new" });
    expect(updated.nodes.get("q1")?.content).toBe("new");
    expect(updated.nodes.get("a1")).toBe(chat.nodes.get("a1"));
  });

  it("a message whose parent is missing is still shown", () => {
    expect(shown(buildTree([node("x", "gone")]))).toEqual(["x"]);
  });

  it("a path leads from the root to the message", () => {
    expect(pathTo(chat, "q2").map((each) => each.id)).toEqual(["q1", "a1", "q2"]);
    expect(pathTo(chat, null)).toEqual([]);
  });
});
