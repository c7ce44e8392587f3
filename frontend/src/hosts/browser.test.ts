import { beforeEach, expect, test, vi } from "vitest";
import { createBrowserHost } from "./browser";

const path = "/api/v1/marketplace/models?limit=36&sort=ready";
const ask = (headers = {}) => createBrowserHost().fetch?.(path, { method: "GET", headers });
const text = async (reply: Promise<Response> | undefined) => (await reply)?.text();

beforeEach(() => {
  globalThis.early = { path, reply: Promise.resolve(new Response("early")) };
  vi.stubGlobal("fetch", async () => new Response("asked"));
});

test("what was asked before the code had come is given once, so that a retry asks the server", async () => {
  expect(await text(ask())).toBe("early");
  expect(await text(ask())).toBe("asked");
});

test("nobody who is signed in is shown a stranger's reply", async () => {
  expect(await text(ask({ Authorization: "Bearer t1" }))).toBe("asked");
});

test("an early request that failed is made anew", async () => {
  globalThis.early = { path, reply: Promise.reject(new TypeError("no line")) };
  expect(await text(ask())).toBe("asked");
});

test("a full disk loses nothing that was written while the page lives, and says what goes with it", () => {
  let room = true;
  const disk = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => disk.get(key) ?? null,
    removeItem: (key: string) => disk.delete(key),
    setItem(key: string, value: string) {
      if (!room) throw new DOMException("full", "QuotaExceededError");
      disk.set(key, value);
    },
  });
  const { storage } = createBrowserHost();
  storage.setItem("draft", "old");
  room = false;
  storage.setItem("draft", "new");
  expect([storage.getItem("draft"), disk.get("draft"), storage.unkept()]).toEqual(["new", undefined, ["draft"]]);
  room = true;
  storage.setItem("draft", "newer");
  expect([storage.getItem("draft"), disk.get("draft"), storage.unkept()]).toEqual(["newer", "newer", []]);
});
