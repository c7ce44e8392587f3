import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createServices } from "@/shared/api/services";
import { createWebviewHost } from "./vscode-webview";

interface Message {
  kind: string;
  id: number;
  [field: string]: unknown;
}

const sent: Message[] = [];

beforeEach(() => {
  sent.length = 0;
  vi.stubGlobal("acquireVsCodeApi", () => ({ postMessage: (message: Message) => sent.push(message) }));
});
afterEach(() => vi.unstubAllGlobals());

function host(signedIn: boolean) {
  const root = document.createElement("div");
  root.dataset.start = JSON.stringify({
    signedIn,
    origin: "http://market.test",
    kept: { "marketplace.favourites": '["m"]' },
  });
  return createWebviewHost(root);
}

const tell = (message: object) => window.dispatchEvent(new MessageEvent("message", { data: message }));

it("asks the editor for everything, and never holds a key", async () => {
  const { api } = createServices(host(true));
  const reply = api.get<{ balance: number }>("/api/v1/marketplace/billing/balance");
  await vi.waitFor(() => expect(sent).toHaveLength(1));
  expect(sent[0]).toEqual({
    kind: "fetch",
    id: 1,
    method: "GET",
    path: "/api/v1/marketplace/billing/balance",
    body: undefined,
  });
  tell({ kind: "reply", id: 1, status: 200, text: '{"success":true,"balance":5}' });
  expect((await reply).balance).toBe(5);
  const failed = api.get("/api/v1/marketplace/models");
  await vi.waitFor(() => expect(sent).toHaveLength(2));
  tell({ kind: "reply", id: 2, status: 0, text: "No answer" });
  await expect(failed).rejects.toThrow("No connection to the server.");
});

it("is signed in and out by the editor alone, and keeps the rest between days", () => {
  const made = host(false);
  const { session } = createServices(made);
  expect([session.token, made.storage.getItem("marketplace.favourites")]).toEqual([null, '["m"]']);
  tell({ kind: "session", signedIn: true, origin: "http://market.test" });
  expect(session.token).not.toBeNull();
  made.storage.setItem("token", "another");
  expect(sent.filter((message) => message.key === "token")).toEqual([]);
  made.storage.removeItem("marketplace.favourites");
  expect(sent.at(-1)).toMatchObject({ kind: "keep", key: "marketplace.favourites", value: null });
  tell({ kind: "session", signedIn: false, origin: "http://market.test" });
  expect(session.token).toBeNull();
});

it("opens links at the marketplace, and only sends along what was asked for", () => {
  const made = host(true);
  made.openLink("/account");
  made.use("gpt-4o-mini");
  expect(sent).toEqual([
    { kind: "open", url: "http://market.test/account" },
    { kind: "use", model: "gpt-4o-mini" },
  ]);
});
