import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Api, Failure } from "../src/core/api";
import { type ChatEvent, type ChatRequest, streamChat } from "../src/core/chat";
import { type Codes, signIn } from "../src/core/device";
import { complete, type FimPrompt, fimPrompt } from "../src/core/fim";
import {
  AUTO,
  agents,
  balance,
  editorReasons,
  estimate,
  favourites,
  lastCall,
  models,
  offered,
  receipt,
  recommend,
} from "../src/core/market";
import { receiptMarkdown, told } from "../src/core/words";
import { Server } from "./server";

let server: Server;
const PAID = "gpt-4o-mini";
const never = new AbortController().signal;

beforeAll(async () => {
  server = await Server.start();
});
afterAll(() => server?.stop());
beforeEach(() => server.script({}));

async function answer(request: Partial<ChatRequest>, api = server.api(), signal = never): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  const turns = [{ role: "user" as const, parts: [{ kind: "text" as const, text: "Hi" }] }];
  for await (const event of streamChat(api, { model: PAID, turns, ...request }, signal)) events.push(event);
  return events;
}

const textOf = (events: ChatEvent[]) => events.flatMap((event) => (event.kind === "text" ? [event.text] : [])).join("");

async function refusal(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Failure);
  return error as Failure;
}

describe("the chat", () => {
  it("tells what was charged, what is left and which receipt", async () => {
    const before = (await balance(server.api())).available;
    const events = await answer({});
    expect(textOf(events)).toContain("Hello from the fake upstream");
    const last = events.at(-1);
    if (last?.kind !== "usage") throw new Error("no usage at the end");
    expect(last.usage).toMatchObject({ input: 11, output: 7 });
    expect(last.usage.cost).toBeGreaterThan(0);
    expect(last.usage.balance).toBeCloseTo(before - (last.usage.cost ?? 0), 9);
    const found = await receipt(server.api(), last.requestId ?? "");
    expect(found.cost).toBe(last.usage.cost);
    expect(receiptMarkdown(found)).toContain(`gpt-4o-mini at openai`);
    expect(await lastCall(server.api())).toBe(last.requestId);
  });

  it("carries tools both ways, also arguments in pieces", async () => {
    const delta = (piece: object) =>
      `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: piece, finish_reason: null }] })}\n\n`;
    const end = `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }], usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 } })}\n\ndata: [DONE]\n\n`;
    const call = (id: string | undefined, name: string | undefined, text: string, index = 0) =>
      delta({
        tool_calls: [
          { index, ...(id ? { id, type: "function" } : {}), function: { ...(name ? { name } : {}), arguments: text } },
        ],
      });
    await server.script({
      frames: [
        call("call_1", "read_file", '{"pa'),
        call(undefined, undefined, 'th":"a.py"}'),
        call("call_2", "list", "{}", 1),
        end,
      ],
    });
    const tools = [
      { name: "read_file", description: "Reads", schema: { type: "object", properties: { path: { type: "string" } } } },
    ];
    const events = await answer({ tools, mustCall: true });
    expect(events.filter((event) => event.kind === "call")).toEqual([
      { kind: "call", id: "call_1", name: "read_file", input: { path: "a.py" } },
      { kind: "call", id: "call_2", name: "list", input: {} },
    ]);
    await server.script({});
    await answer({
      tools,
      turns: [
        { role: "user", parts: [{ kind: "text", text: "Read a.py" }] },
        { role: "assistant", parts: [{ kind: "call", id: "call_1", name: "read_file", input: { path: "a.py" } }] },
        { role: "user", parts: [{ kind: "result", id: "call_1", text: "print(1)" }] },
      ],
    });
    const { seen } = await server.tell<{ seen: { body: { messages: object[] } }[] }>({ seen: true });
    expect(seen.at(-1)?.body.messages).toMatchObject([
      { role: "user" },
      { role: "assistant", tool_calls: [{ id: "call_1", function: { name: "read_file", arguments: '{"path":"a.py"}' } }] },
      { role: "tool", tool_call_id: "call_1", content: "print(1)" },
    ]);
  });

  it("stops at the provider when the user stops", async () => {
    await server.script({ stepped: true });
    const number = (await server.asked()) + 1;
    const stop = new AbortController();
    const running = answer({}, server.api(), stop.signal);
    await server.tell({ wait: number });
    await server.tell({ release: 2 });
    stop.abort();
    await expect(running).rejects.toThrow();
    expect(await server.tell({ over: number })).toEqual({ hung_up: true, completed: false });
  });

  it("refuses above the user's limit before anything is sent, and says where the limit stands", async () => {
    const number = await server.asked();
    const error = await refusal(answer({ maxCost: 0.000001 }));
    expect([error.status, error.code]).toEqual([402, "max_cost_exceeded"]);
    expect(told(error).words).toContain("agentMarketplace.maxCostPerAnswer");
    expect(await server.asked()).toBe(number);
  });

  it("says of an empty wallet what is needed and what is there", async () => {
    const poor = await server.tell<{ key: string }>({ person: "0" });
    const turns = [{ role: "user" as const, parts: [{ kind: "text" as const, text: "word ".repeat(200_000) }] }];
    const error = await refusal(answer({ model: "gpt-5.4-pro", turns }, server.api(poor.key)));
    expect(error.status).toBe(402);
    expect(told(error)).toMatchObject({ act: "topUp", words: expect.stringMatching(/needs \$.*you have \$5\.00/) });
  });

  it("asks for a sign-in when the key is gone, and tells a provider's failure apart", async () => {
    const gone = await refusal(answer({}, server.api(`sk-aam-${"x".repeat(38)}`)));
    expect(told(gone)).toMatchObject({ act: "signIn" });
    await server.script({ status: 400, words: "bad picture" });
    expect(told(await refusal(answer({}))).words).toMatch(/\.$/);
    const away = await refusal(balance(new Api({ origin: "http://127.0.0.1:9", key: async () => undefined })));
    expect(told(away).words).toContain("Does the server run?");
  });

  it("suggests the nearest model where there is none of that name", async () => {
    const error = await refusal(answer({ model: "gpt-4o-minni" }));
    expect(told(error)).toMatchObject({ act: "offerModels", words: expect.stringContaining("gpt-4o-mini") });
  });
});

describe("the marketplace", () => {
  it("offers auto, favourites and what can be paid, with prices and room for the answer", async () => {
    const api = server.api();
    await api.send("PUT", `/api/v1/marketplace/favourites/${PAID}`);
    const all = await models(api);
    const list = offered(all, { favourites: await favourites(api), added: ["claude-opus-5"], available: 5 });
    expect(list.slice(0, 3).map((model) => model.id)).toEqual([AUTO.id, PAID, "claude-opus-5"]);
    expect(list).toHaveLength(13);
    expect(list[1]).toMatchObject({ detail: "$0.15/$0.6", images: true, tools: true, favourite: true, output: 16_384 });
    expect((list[1]?.input ?? 0) + (list[1]?.output ?? 0)).toBe(128_000);
    expect(
      offered(all, { favourites: [], added: [], available: 0 }).every(({ price, id }) => id === AUTO.id || !price.input),
    ).toBe(true);
  });

  it("estimates before anything is sent, and recommends with reasons", async () => {
    const found = await estimate(server.api(), PAID, "What is a mutex?");
    expect(found.estimate.p50).toBeGreaterThan(0);
    expect(found.estimate.maximum).toBeGreaterThanOrEqual(found.estimate.p95);
    const [pick] = await recommend(server.api(), "Find the race in my asyncio test");
    expect(pick?.reasons.length).toBeGreaterThan(0);
    const reasons = await editorReasons(server.api());
    const [id, words] = [...reasons][0] ?? ["", ""];
    const [, ...rest] = offered(await models(server.api()), { favourites: [id], added: [], available: 5, reasons });
    expect(rest[0]?.tooltip).toContain(words);
    expect(words).toMatch(/^Q Assistant, rank 1: \S/);
  });
});

describe("agents in the picker", () => {
  it("are those that one agreed to, and answer under the name that the picker has", async () => {
    const api = server.api(server.owner.token);
    expect(await agents(api)).toEqual([]);
    const base = "/api/v1/agents";
    await api.send("PUT", `${base}/publisher`, { handle: "editor-people" });
    const version = { name: "Greeter", summary: "Greets", model: PAID, licence: "MIT" };
    const { agent } = await api.post<{ agent: { id: string } }>(`${base}/offered`, { slug: "greeter", version });
    await api.post(`${base}/offered/${agent.id}/versions/1/submit`, { visibility: "private" });
    await api.post(`${base}/listings/editor-people/greeter/consent`, { version: 1 });
    const [offer] = await agents(api);
    expect(offer).toMatchObject({ id: "agent/editor-people/greeter", name: "Greeter", tools: false });
    const events = await answer({ model: offer?.id });
    expect(textOf(events)).toContain("Hello from the fake upstream");
  });
});

describe("ghost text", () => {
  const hole = {
    path: "a.py",
    language: "python",
    before: "def add(a, b):\n    return ",
    after: "\n\nprint(add(1, 2))\n",
    others: [],
  };

  it("fills the hole with a model that can, and says what it cost", async () => {
    const all = await models(server.api());
    expect(all.filter((model) => model.capabilities.includes("fim")).map((model) => model.id)).toEqual(["tiny-coder"]);
    const { text, usage } = await complete(server.api(), "tiny-coder", fimPrompt(hole) as FimPrompt, never);
    expect(text).toBe("a + b");
    expect(usage?.cost).toBeGreaterThan(0);
  });

  it("is refused by name where the model only talks", async () => {
    const error = await refusal(complete(server.api(), PAID, fimPrompt(hole) as FimPrompt, never));
    expect(error.status).toBe(400);
    expect(error.message).toContain("tiny-coder");
  });
});

describe("sign-in by device code", () => {
  const flow = (wait: () => Promise<void>) => ({
    origin: server.url,
    client: "VS Code",
    scopes: ["inference", "account:read", "account:write"],
    wait,
  });
  const answered = (codes: Codes, how: "approve" | "deny") => {
    const terms = how === "approve" ? { name: "editor", scopes: ["inference", "account:read"], cap: { amount: "2" } } : {};
    return server
      .api(server.owner.token)
      .post(`/api/v1/marketplace/auth/device/${how}`, { user_code: codes.user_code, ...terms });
  };

  it("ends in a key that works, once the user has said yes", async () => {
    let codes: Codes | undefined;
    let polls = 0;
    const key = await signIn(
      flow(async () => {
        polls += 1;
        if (codes && polls === 2) await answered(codes, "approve");
      }),
      (shown) => {
        codes = shown;
      },
    );
    expect(codes?.verification_uri).toBe(`${server.url}/device`);
    expect(polls).toBe(2);
    expect((await balance(server.api(key))).available).toBeGreaterThan(0);
  });

  it("ends in words when the user says no, and when they give up", async () => {
    const no = await refusal(
      signIn(
        flow(async () => undefined),
        async (codes) => void (await answered(codes, "deny")),
      ),
    );
    expect(no.code).toBe("access_denied");
    const tired = signIn(
      flow(() => Promise.reject(new Error("cancelled"))),
      () => undefined,
    );
    await expect(tired).rejects.toThrow("cancelled");
  });
});
