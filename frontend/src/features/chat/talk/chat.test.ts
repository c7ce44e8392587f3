// @vitest-environment node
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Host } from "@/hosts/host";
import { ApiClient } from "@/shared/api/client";
import { Session } from "@/shared/api/session";
import { memoryShelf } from "@/shared/lib/test-host";
import { Chat } from "./chat";
import { ChatMemory } from "./chat-memory";
import type { ChatState } from "./chat-state";
import { activePath, siblings } from "./tree";

type Handler = (body: Record<string, unknown>, response: ServerResponse, request: IncomingMessage) => void | Promise<void>;

/** A scripted server on loopback: what each call is answered with, in order of the script's routes. */
let routes: Record<string, Handler>;
let calls: { route: string; body: Record<string, unknown>; headers: IncomingMessage["headers"] }[];
let server: Server;
let settled: (number | undefined)[];
let session: Session;
let stored: Map<string, string>;
let shelf: ReturnType<typeof memoryShelf>;

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : {};
}

beforeEach(async () => {
  routes = {};
  calls = [];
  settled = [];
  stored = new Map([["token", "t1"]]);
  shelf = memoryShelf();
  server = createServer(async (request, response) => {
    const path = (request.url ?? "").replace("/api/v1/agents", "").split("?")[0] ?? "";
    const route = `${request.method} ${path.replace(/run_[0-9a-f]{32}/, "{run}")}`;
    const body = await bodyOf(request);
    calls.push({ route, body, headers: request.headers });
    const handler = routes[route];
    if (handler) await handler(body, response, request);
    else refuse(response, 404, { error: "Not found", code: "not_found" });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

function refuse(response: ServerResponse, status: number, body: object, headers = {}): void {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify({ success: false, ...body }));
}

function reply(response: ServerResponse, body: object): void {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ success: true, ...body }));
}

function openStream(response: ServerResponse): (type: string, data?: object, id?: number) => void {
  let counter = 0;
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  response.flushHeaders();
  return (type, data = {}, id) => {
    counter = id ?? counter + 1;
    response.write(`id: ${counter}\nevent: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  };
}

const ids = { request_id: "req_1", model: "demo", provider: "local", conversation_id: "c1" };
const bill = { success: true, cost: 0.01, balance_remaining: 4.99, finish_reason: "stop" };

function newChat(conversationId: string | null = null): Chat {
  const host = {
    apiBase: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    storage: {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => void stored.set(key, value),
      removeItem: (key: string) => void stored.delete(key),
      keys: () => [...stored.keys()],
      subscribe: () => () => {},
    },
  } as unknown as Host;
  session = new Session(host.storage);
  const services = {
    api: new ApiClient(host, session),
    memory: new ChatMemory({ storage: host.storage, shelf, tab: "tab-1", account: () => "" }),
    onAsked: () => {},
    onConversation: () => {},
    onSettled: (balance: number | undefined) => void settled.push(balance),
    nextFrame: (callback: () => void) => void setImmediate(callback),
  };
  return new Chat(services, conversationId);
}

function until(chat: Chat, reached: (state: ChatState) => boolean): Promise<ChatState> {
  return new Promise((resolve) => {
    const check = () => {
      if (!reached(chat.getState())) return;
      stop();
      resolve(chat.getState());
    };
    const stop = chat.subscribe(check);
    queueMicrotask(check);
  });
}

const path = (chat: Chat) => activePath(chat.getState().tree);
const draft = (text: string) => ({ text, images: [], model: "demo" });

/** Answers every question with `words`, numbering the messages as it goes. */
function answering(...words: string[]): Handler {
  let turn = 0;
  return (body, response) => {
    turn += 1;
    const send = openStream(response);
    const userId = body.message === undefined ? body.parent_id : `q${turn}`;
    send("start", { ...ids, run_id: body.run_id, user_message_id: userId, message_id: `a${turn}` });
    for (const word of words) send("delta", { delta: word });
    send("done", { ...bill, result: words.join("") });
    response.end();
  };
}

describe("a conversation", () => {
  it("goes on below the last answer and takes the server's ids", async () => {
    routes["POST /chat"] = answering("Hello", " there");
    const chat = newChat();
    await chat.send(draft("first"));
    await chat.send(draft("second"));
    expect(path(chat).map(({ id, content }) => [id, content])).toEqual([
      ["q1", "first"],
      ["a1", "Hello there"],
      ["q2", "second"],
      ["a2", "Hello there"],
    ]);
    expect(calls[1]?.body).toMatchObject({ conversation_id: "c1", parent_id: "a1", message: "second", resumable: true });
    expect(path(chat)[1]).toMatchObject({ model: "demo", provider: "local", cost: 0.01, status: "complete" });
    expect(settled).toEqual([4.99, 4.99]);
  });

  it("keeps what is typed while its first answer is awaited: no other new chat begins with it", async () => {
    const chat = newChat();
    routes["POST /chat"] = (body, response) => {
      chat.memory.write("draft", null, "the next question");
      answering("Hello")(body, response, {} as IncomingMessage);
    };
    await chat.send(draft("first"));
    expect(newChat("c1").memory.read("draft", "c1")).toBe("the next question");
    expect(newChat().memory.read("draft", null)).toBe("");
  });

  it("keeps the pictures of a draft until the server has them, over a reload", async () => {
    routes["POST /chat"] = answering("a cat");
    newChat().memory.keepImages(null, ["data:image/png;base64,AAAA"]);
    const chat = newChat();
    expect(await chat.memory.keptImages(null)).toEqual(["data:image/png;base64,AAAA"]);
    await chat.send({ ...draft("What is this?"), images: ["data:image/png;base64,AAAA"] });
    expect(await newChat().memory.keptImages(null)).toEqual([]);
  });

  it("regenerates below the same question without sending it again", async () => {
    routes["POST /chat"] = answering("x");
    const chat = newChat();
    await chat.send(draft("first"));
    await chat.regenerate("a1", "other");
    expect(calls[1]?.body).toMatchObject({ parent_id: "q1", model: "other" });
    expect(calls[1]?.body).not.toHaveProperty("message");
    expect(siblings(chat.getState().tree, "a2").ids).toEqual(["a1", "a2"]);
  });

  it("edits the first question into a second root", async () => {
    routes["POST /chat"] = answering("x");
    const chat = newChat();
    await chat.send(draft("first"));
    await chat.edit("q1", draft("better"));
    expect(calls[1]?.body).toMatchObject({ parent_id: null, conversation_id: "c1", message: "better" });
    expect(siblings(chat.getState().tree, "q2").ids).toEqual(["q1", "q2"]);
  });

  it("a temporary chat sends its own history and asks for nothing to be kept", async () => {
    routes["POST /completion"] = answering("x");
    const chat = newChat();
    chat.setTemporary(true);
    await chat.send(draft("one"));
    await chat.send(draft("two"));
    expect(calls.map((call) => call.route)).toEqual(["POST /completion", "POST /completion"]);
    expect(calls[1]?.body.messages).toEqual([
      { role: "user", content: "one" },
      { role: "assistant", content: "x" },
      { role: "user", content: "two" },
    ]);
    expect(chat.getState().conversationId).toBeNull();
  });
});

describe("stop", () => {
  it("before the first token ends the answer in the page and names the run to the server", async () => {
    let heldOpen: ServerResponse | undefined;
    const asked = new Promise<void>((resolve) => {
      routes["POST /chat"] = (_body, response) => {
        heldOpen = response;
        resolve();
      };
    });
    const stopped = new Promise<void>((resolve) => {
      routes["POST /runs/{run}/stop"] = (_body, response) => {
        const send = openStream(heldOpen as ServerResponse);
        send("done", { success: true, result: "", cost: 0, balance_remaining: 5, finish_reason: "stopped" });
        heldOpen?.end();
        reply(response, { stopped: true });
        resolve();
      };
    });
    const chat = newChat();
    const sent = chat.send(draft("long story"));
    await asked;
    chat.stop();
    expect(chat.getState().run).toBeNull();
    expect(path(chat).at(-1)).toMatchObject({ status: "stopped", content: "" });
    await stopped;
    await sent;
    expect(path(chat).at(-1)).toMatchObject({ status: "stopped", cost: 0 });
  });

  it("keeps what came, ignores what comes late, and shows what it cost", async () => {
    let send: ReturnType<typeof openStream> = () => {};
    routes["POST /chat"] = (body, response) => {
      send = openStream(response);
      send("start", { ...ids, run_id: body.run_id, user_message_id: "q1", message_id: "a1" });
      send("delta", { delta: "Once" });
    };
    routes["POST /runs/{run}/stop"] = (_body, response) => {
      send("delta", { delta: " upon" });
      send("done", { ...bill, result: "Once upon", finish_reason: "stopped" });
      reply(response, { stopped: true });
    };
    const chat = newChat();
    const sent = chat.send(draft("story"));
    await until(chat, (state) => state.run?.run.text === "Once");
    chat.stop();
    await sent;
    expect(path(chat).at(-1)).toMatchObject({ id: "a1", status: "stopped", content: "Once", cost: 0.01 });
  });

  it("closes the connection when the server does not know the run", async () => {
    let closed: () => void = () => {};
    const aborted = new Promise<void>((resolve) => {
      closed = resolve;
    });
    routes["POST /chat"] = (body, response) => {
      response.on("close", closed);
      const send = openStream(response);
      send("start", { ...ids, run_id: body.run_id });
      send("delta", { delta: "x" });
    };
    const chat = newChat();
    const sent = chat.send(draft("story"));
    await until(chat, (state) => state.run?.run.text === "x");
    chat.stop();
    await Promise.all([aborted, sent]);
    expect(path(chat).at(-1)).toMatchObject({ status: "stopped", content: "x" });
  });
});

describe("what goes wrong", () => {
  it("a refused question stays with its reason, and trying again does not ask it twice", async () => {
    routes["POST /chat"] = (_body, response) => refuse(response, 402, { error: "Insufficient balance", required: 0.04 });
    const chat = newChat();
    await chat.send(draft("dear"));
    const failed = path(chat).at(-1);
    expect(failed).toMatchObject({ status: "failed", failure: { status: 402 } });
    routes["POST /chat"] = answering("cheap");
    await chat.regenerate(failed?.id ?? "", "cheap-model");
    expect(calls[1]?.body).toMatchObject({ message: "dear", model: "cheap-model" });
    expect(path(chat).map((message) => message.content)).toEqual(["dear", "cheap"]);
  });

  it("pictures of a question that was refused go along again, as the server kept none", async () => {
    routes["POST /chat"] = (body, response) => {
      const send = openStream(response);
      send("start", { ...ids, run_id: body.run_id, user_message_id: "q1", message_id: "a1" });
      send("error", { error: "invalid image", code: "invalid_request" });
      response.end();
    };
    const chat = newChat();
    await chat.send({ ...draft("look"), images: ["data:image/png;base64,AA=="] });
    expect(path(chat).at(-1)).toMatchObject({ id: "a1", status: "failed" });
    routes["POST /chat"] = answering("seen");
    await chat.regenerate("a1", "demo");
    expect(calls[1]?.body).toMatchObject({
      conversation_id: "c1",
      parent_id: null,
      message: "look",
      images: ["data:image/png;base64,AA=="],
    });
    expect(path(chat).map((message) => message.content)).toEqual(["look", "seen"]);
  });

  it("an expired session keeps the question: signing in sends it, closing the dialog gives it back", async () => {
    routes["POST /chat"] = (_body, response) => refuse(response, 401, { error: "Unauthorized", code: "authentication" });
    const chat = newChat();
    const sent = chat.send(draft("precious"));
    while (!session.getState().prompt) await new Promise(setImmediate);
    expect(session.getState().prompt?.reason).toBe("expired");
    session.dismiss();
    await sent;
    expect(chat.getState().returned).toEqual({ text: "precious", images: [] });
    expect(path(chat)).toEqual([]);
    routes["POST /chat"] = answering("welcome");
    const again = chat.send(draft("precious"));
    while (!session.getState().prompt) await new Promise(setImmediate);
    session.signedIn("t2");
    await again;
    expect(calls.at(-1)?.headers.authorization).toBe("Bearer t2");
    expect(path(chat).at(-1)?.content).toBe("welcome");
  });

  it("a broken connection is taken up again where it broke", async () => {
    routes["POST /chat"] = (body, response) => {
      const send = openStream(response);
      send("start", { ...ids, run_id: body.run_id, user_message_id: "q1", message_id: "a1" });
      send("delta", { delta: "half " });
      setImmediate(() => response.destroy());
    };
    routes["GET /runs/{run}/events"] = (_body, response) => {
      const send = openStream(response);
      send("delta", { delta: "whole" }, 3);
      send("done", { ...bill }, 4);
      response.end();
    };
    const chat = newChat();
    await chat.send(draft("q"));
    expect(calls[1]?.headers["last-event-id"]).toBe("2");
    expect(path(chat).at(-1)).toMatchObject({ status: "complete", content: "half whole" });
  });

  it("an error inside the stream keeps the part and its charge", async () => {
    routes["POST /chat"] = (body, response) => {
      const send = openStream(response);
      send("start", { ...ids, run_id: body.run_id });
      send("delta", { delta: "part" });
      send("error", {
        success: false,
        error: "Provider closed",
        code: "provider_unavailable",
        cost: 0.002,
        balance_remaining: 4,
      });
      response.end();
    };
    const chat = newChat();
    await chat.send(draft("q"));
    expect(path(chat).at(-1)).toMatchObject({ status: "cut", content: "part", cost: 0.002 });
  });
});

describe("after a reload", () => {
  const detail = (last: object) => ({
    conversation: { id: "c1", title: "Tale", model: "demo", updated_at: "" },
    messages: [
      { id: "q1", parent_id: null, role: "user", content: "tell" },
      { id: "a1", parent_id: "q1", role: "assistant", content: "", ...last },
    ],
  });

  it("reattaches to an answer that is still being made", async () => {
    const runId = `run_${"a".repeat(32)}`;
    routes["GET /conversations/c1"] = (_body, response) => reply(response, detail({ status: "running", run_id: runId }));
    routes["GET /runs/{run}/events"] = (_body, response) => {
      const send = openStream(response);
      send("start", { ...ids, run_id: runId, message_id: "a1", user_message_id: "q1" });
      send("delta", { delta: "the end" });
      send("done", { ...bill });
      response.end();
    };
    const chat = newChat("c1");
    await until(chat, (state) => path(chat).at(-1)?.status === "complete" && state.run === null);
    expect(path(chat).at(-1)).toMatchObject({ id: "a1", status: "complete", content: "the end" });
  });

  it("a run that is gone is called cut, not running for ever", async () => {
    stored.set("marketplace.chat.@.run.c1", `run_${"b".repeat(32)}`);
    routes["GET /conversations/c1"] = (_body, response) => reply(response, detail({ status: "running", content: "par" }));
    const chat = newChat("c1");
    await until(chat, () => path(chat).at(-1)?.status === "cut");
    expect(stored.has("marketplace.chat.@.run.c1")).toBe(false);
  });

  it("says what failed when the chat cannot be loaded", async () => {
    const chat = newChat("c1");
    const state = await until(chat, ({ loadError }) => loadError !== null);
    expect(state.loadError?.status).toBe(404);
  });

  it("that another tab deleted says so, and hands what is written in it on to the next chat", async () => {
    routes["GET /conversations/c1"] = (_body, response) => reply(response, detail({ status: "complete", content: "A" }));
    const chat = newChat("c1");
    await until(chat, ({ loading }) => !loading);
    delete routes["GET /conversations/c1"];
    chat.memory.write("draft", "c1", "half written");
    await chat.refresh();
    expect(chat.getState().loadError?.status).toBe(404);
    const next = newChat(null);
    chat.memory.bequeath("c1", next.memory);
    expect(next.memory.read("draft", null)).toBe("half written");
    expect(next.memory.read("draft", "c1")).toBe("");
  });
});
