import { beforeEach, describe, expect, it } from "vitest";
import { memoryHost } from "@/shared/lib/test-host";
import { ChatMemory } from "./chat-memory";

const file = (name: string) => ({ name, text: `text of ${name}` });
let newMemory: () => ChatMemory;

beforeEach(() => {
  const { storage, shelf, tab } = memoryHost();
  newMemory = () => new ChatMemory({ storage, shelf, tab, account: () => "ada" });
});

describe("ChatMemory.bequeath", () => {
  it("takes nothing from the new chat where the one that is gone has nothing", async () => {
    const gone = newMemory();
    const fresh = newMemory();
    fresh.write("draft", null, "half written");
    fresh.writeFiles(null, [file("a.txt")]);
    newMemory().keepImages(null, ["data:1"]);
    gone.write("draft", "c1", " \n");
    gone.bequeath("c1", fresh);
    expect(fresh.read("draft", null)).toBe("half written");
    expect(JSON.parse(fresh.read("files", null))).toEqual([file("a.txt")]);
    expect(await fresh.keptImages(null)).toEqual(["data:1"]);
  });

  it("puts a draft, its files and its pictures below those of the new chat, and leaves none behind", async () => {
    const gone = newMemory();
    const fresh = newMemory();
    fresh.write("draft", null, "first\n");
    fresh.writeFiles(null, [file("a.txt")]);
    newMemory().keepImages(null, ["data:1"]);
    gone.write("draft", "c1", "second");
    gone.writeFiles("c1", [file("b.txt")]);
    newMemory().keepImages("c1", ["data:2"]);
    gone.bequeath("c1", fresh);
    expect(fresh.read("draft", null)).toBe("first\n\nsecond");
    expect(JSON.parse(fresh.read("files", null))).toEqual([file("a.txt"), file("b.txt")]);
    expect(await fresh.keptImages(null)).toEqual(["data:1", "data:2"]);
    expect(await newMemory().keptImages(null)).toEqual(["data:1", "data:2"]);
    expect([gone.read("draft", "c1"), gone.read("files", "c1")]).toEqual(["", ""]);
    expect(await gone.keptImages("c1")).toEqual([]);
  });

  it("carries the pictures of a chat whose shelf another tab has cleared, and only once", async () => {
    const gone = newMemory();
    gone.keepImages("c1", ["data:1"]);
    newMemory().forget("c1");
    const fresh = newMemory();
    gone.bequeath("c1", fresh);
    expect(await fresh.keptImages(null)).toEqual(["data:1"]);
    fresh.keepImages(null, []);
    expect(await fresh.keptImages(null)).toEqual([]);
    const next = newMemory();
    gone.bequeath("c1", next);
    expect(await next.keptImages(null)).toEqual([]);
  });
});

describe("ChatMemory.sent", () => {
  it("forgets a long question that became a file before the server had it, and no other file", () => {
    const memory = newMemory();
    memory.writeFiles("c1", [file("a.txt"), { name: "Pasted text", text: "long question" }]);
    memory.sent("c1", "long question");
    expect(JSON.parse(memory.read("files", "c1"))).toEqual([file("a.txt")]);
    memory.sent("c1", "another");
    expect(JSON.parse(memory.read("files", "c1"))).toEqual([file("a.txt")]);
  });
});
