import { describe, expect, test, vi } from "vitest";
import type { Host } from "@/hosts/host";
import { memoryHost } from "@/shared/lib/test-host";
import { ApiClient } from "./client";
import { ApiError, errorFromBody, retryAfterSeconds } from "./errors";
import { Session } from "./session";

function hostOf(token?: string): Host {
  const host = memoryHost({ kind: "element" });
  if (token) host.storage.setItem("token", token);
  return host;
}

/** Answers with the given replies in turn and keeps what was sent. */
function server(...replies: [number, unknown][]) {
  const sent: { authorization: string | null; body: unknown }[] = [];
  vi.stubGlobal("fetch", async (_url: string, init: RequestInit) => {
    sent.push({ authorization: new Headers(init.headers).get("Authorization"), body: init.body });
    const [status, body] = replies.shift() ?? [500, {}];
    return new Response(JSON.stringify(body), { status });
  });
  return sent;
}

const refused: [number, unknown] = [
  401,
  { success: false, error: "Token expired", code: "authentication", request_id: "req_1" },
];
const path = "/api/v1/agents/completion";

describe("an expired session", () => {
  test("asks to sign in and sends the same call once more, so that nothing written is lost", async () => {
    const host = hostOf("old");
    const session = new Session(host.storage);
    const sent = server(refused, [200, { success: true, result: "hi" }]);
    const call = new ApiClient(host, session).post<{ result: string }>(path, { prompt: "long and dear" });
    await vi.waitFor(() => expect(session.getState().prompt?.reason).toBe("expired"));
    session.signedIn("new");
    expect((await call).result).toBe("hi");
    expect(sent.map(({ authorization }) => authorization)).toEqual(["Bearer old", "Bearer new"]);
    expect(sent[1]?.body).toBe(sent[0]?.body);
  });

  test("closing the dialog fails the call as a 401 and does not send it again", async () => {
    const host = hostOf("old");
    const session = new Session(host.storage);
    const sent = server(refused);
    const call = new ApiClient(host, session).post(path, {});
    await vi.waitFor(() => expect(session.getState().prompt).not.toBeNull());
    session.dismiss();
    await expect(call).rejects.toMatchObject({ status: 401, code: "authentication" });
    expect(sent).toHaveLength(1);
  });

  test("in the background opens no dialog", async () => {
    const host = hostOf("old");
    const session = new Session(host.storage);
    server(refused);
    await expect(new ApiClient(host, session).get("/api/v1/marketplace/profile")).rejects.toMatchObject({ status: 401 });
    expect(session.getState()).toMatchObject({ prompt: null, expired: true, token: null });
  });

  test("a late 401 of the old token does not throw out the new one", () => {
    const session = new Session(hostOf("old").storage);
    session.signedIn("new");
    session.refused("old");
    expect(session.token).toBe("new");
  });

  test("two calls at once share one dialog", async () => {
    const host = hostOf();
    const session = new Session(host.storage);
    const sent = server([200, { success: true }], [200, { success: true }]);
    const client = new ApiClient(host, session);
    const calls = [client.post(path, { a: 1 }), client.post(path, { b: 2 })];
    session.signedIn("new");
    await Promise.all(calls);
    expect(sent.map(({ authorization }) => authorization)).toEqual(["Bearer new", "Bearer new"]);
  });
});

describe("failures", () => {
  test("the envelope's code, request id and further fields reach the page", () => {
    const error = errorFromBody(402, {
      success: false,
      error: "Too poor",
      code: "payment_required",
      request_id: "req_2",
      required: 0.04,
    });
    expect(error).toMatchObject({ status: 402, code: "payment_required", requestId: "req_2", message: "Too poor" });
    expect(error.extra).toEqual({ required: 0.04 });
  });

  test("a proxy's HTML page still becomes an error in words", async () => {
    vi.stubGlobal("fetch", async () => new Response("<html>Bad Gateway</html>", { status: 502 }));
    const host = hostOf();
    const call = new ApiClient(host, new Session(host.storage)).get("/api/v1/marketplace/models");
    await expect(call).rejects.toMatchObject({ status: 502, code: "provider_unavailable" });
  });

  test("no network is `offline`, and a stopped call is no failure of the network", async () => {
    const host = hostOf();
    const client = new ApiClient(host, new Session(host.storage));
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("Failed to fetch");
    });
    await expect(client.get("/api/v1/marketplace/models")).rejects.toBeInstanceOf(ApiError);
    const stopped = new AbortController();
    stopped.abort();
    await expect(client.get("/api/v1/marketplace/models", { signal: stopped.signal })).rejects.toMatchObject({
      name: "AbortError",
    });
  });

  test("Retry-After is read as seconds and as a date", () => {
    const now = Date.parse("2026-11-22T10:00:00Z");
    expect(retryAfterSeconds("7", now)).toBe(7);
    expect(retryAfterSeconds("Sun, 22 Nov 2026 10:00:30 GMT", now)).toBe(30);
    expect(retryAfterSeconds("soon", now)).toBeUndefined();
  });
});
