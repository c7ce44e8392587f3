import { describe, expect, it } from "vitest";
import { Failure, jsonEvents, readFailure } from "../src/core/api";
import { chatBody, roughTokens } from "../src/core/chat";
import { isPlainText, originOf } from "../src/core/device";
import { FimCache, fimPrompt, isIgnored, trimmed, withoutSecrets } from "../src/core/fim";
import { type Model, payable, shown } from "../src/core/market";
import { allowed, unspending } from "../src/core/panel";
import { DaySpend, type Kept, LowBalance } from "../src/core/spend";
import { dollars, receiptMarkdown, told } from "../src/core/words";

const prompt = (before: string, suffix = "", single = false) => ({ prompt: before, suffix, single });

describe("streams", () => {
  it("are read whatever the pieces are", async () => {
    const bytes = new TextEncoder().encode(
      'data: {"n":1}\r\n\r\n: ping\ndata: {"n":"é"}\n\ndata: [DONE]\n\ndata: {"n":3}\n\n',
    );
    for (const size of [1, 2, 7, 500]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.slice(at * size, (at + 1) * size),
      );
      const found: unknown[] = [];
      for await (const event of jsonEvents(new Blob(pieces).stream())) found.push(event);
      expect(found).toEqual([{ n: 1 }, { n: "é" }]);
    }
  });
});

describe("words of a failure", () => {
  it("come from both shapes, and from a proxy's page", () => {
    expect(readFailure({ success: false, error: "No such model", code: "not_found" }, 404)).toMatchObject({
      code: "not_found",
    });
    const wire = { error: { message: "Too dear", code: "payment_required", metadata: { required: 1.5, available: 0.25 } } };
    expect(told(readFailure(wire, 402)).words).toBe("Your credit does not cover this. It needs $1.50, you have $0.25.");
    expect(readFailure(null, 502).message).toBe("The server answered 502.");
  });

  it("say when to try again, and which cap it was", () => {
    expect(told(new Failure("Too many requests", 429, "rate_limit_exceeded", {}, 7))).toEqual({
      words: "Too many requests. Try again in 7 s.",
      act: "retry",
    });
    expect(told(new Failure("This key's cap is reached", 402, "payment_required", { scope: "key" })).act).toBe("raiseCap");
    expect(told(new Failure("This API key lacks the scope account:read", 403, "missing_scope")).act).toBe("signIn");
  });
});

describe("money", () => {
  it.each([
    [0, "$0"],
    [12.4, "$12.40"],
    [0.0465, "$0.0465"],
    [0.00000585, "$0.00000585"],
    [0.0000000001, "under $0.000001"],
    [-0.5, "$-0.5"],
  ])("%d is written %s", (amount, words) => {
    expect(dollars(amount)).toBe(words);
  });

  it("is counted by the user's day, and a new day begins at nothing", () => {
    let kept: Kept | undefined;
    let day = "2026-11-30";
    const spend = new DaySpend(
      () => kept,
      (next) => {
        kept = next;
      },
      () => day,
    );
    spend.add(0.2);
    spend.add(0.1);
    expect(spend.now.calls).toBe(2);
    expect(spend.left(0.5)).toBeCloseTo(0.2);
    expect(spend.left(0.25)).toBe(0);
    expect(spend.left(0)).toBe(Number.POSITIVE_INFINITY);
    day = "2026-12-01";
    expect(spend.left(0.5)).toBe(0.5);
  });

  it("that runs low is said once, and again only after it was more", () => {
    const low = new LowBalance();
    expect([3, 1, 0.5, 4, 0.9].map((left) => low.due(left, 1))).toEqual([false, true, false, false, true]);
    expect(new LowBalance().due(0, 0)).toBe(false);
  });
});

describe("models", () => {
  const model: Model = {
    id: "m",
    name: "M",
    provider: "p",
    context_window: 8_000,
    max_output: 8_000,
    capabilities: ["text"],
    is_available: true,
    use_count: 0,
    prices: { input: "10", output: "20" },
  };

  it("leave room to ask in where a list gives the whole context to the answer", () => {
    expect(shown(model)).toMatchObject({ input: 6_000, output: 2_000, detail: "$10/$20", tools: false });
    expect(shown({ ...model, context_window: 0, prices: null })).toMatchObject({ detail: "price unknown" });
  });

  it("without a known price are never called payable", () => {
    expect(payable({ ...model, prices: null }, undefined)).toBe(false);
    expect([payable(model, 0.03), payable(model, 0.029)]).toEqual([true, false]);
  });
});

describe("a request", () => {
  it("takes pictures, system text and thinking, and passes on only options that are known", () => {
    const body = chatBody({
      model: "m",
      options: { temperature: 0.2, danger: true },
      maxCost: 0.5,
      turns: [
        { role: "system", parts: [{ kind: "text", text: "Be brief" }] },
        {
          role: "user",
          parts: [
            { kind: "text", text: "What is it?" },
            { kind: "image", mime: "image/png", base64: "AAAA" },
          ],
        },
        {
          role: "assistant",
          parts: [
            { kind: "thinking", text: "hm" },
            { kind: "text", text: "A cat" },
          ],
        },
        { role: "assistant", parts: [{ kind: "thinking", text: "nothing said" }] },
      ],
    });
    expect(body).toMatchObject({ temperature: 0.2, max_cost: 0.5, stream: true });
    expect(body).not.toHaveProperty("danger");
    expect((body as { messages: object[] }).messages).toEqual([
      { role: "system", content: "Be brief" },
      {
        role: "user",
        content: [
          { type: "text", text: "What is it?" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
        ],
      },
      { role: "assistant", content: "A cat", reasoning_content: "hm" },
    ]);
  });

  it("counts wide letters as tokens of their own", () => {
    expect([roughTokens("abcdefgh"), roughTokens("漢字")]).toEqual([2, 2]);
  });
});

it("says in words that an answer broke off, instead of the network's own", async () => {
  const cut = new ReadableStream<Uint8Array>({ start: (to) => to.error(new TypeError("terminated")) });
  await expect(jsonEvents(cut).next()).rejects.toThrow(/broke off/);
});

describe("what is sent for ghost text", () => {
  const fim = (...given: Parameters<typeof fimPrompt>) => {
    const made = fimPrompt(...given);
    if (!made) throw new Error("the hole is in a secret");
    return made;
  };
  const long = Array.from({ length: 2_000 }, (_, line) => `line ${line}`).join("\n");

  it("keeps to the budget, in whole lines, the nearest first", () => {
    const other = { path: "b.py", text: `${long}\n` };
    const made = fim(
      { path: "a.py", language: "python", before: `${long}\nlast = `, after: `\n${long}`, others: [other, other] },
      { tokens: 400, others: 0.25 },
    );
    expect(roughTokens(made.prompt) + roughTokens(made.suffix)).toBeLessThanOrEqual(402);
    expect(made.prompt.endsWith("\nlast = ")).toBe(true);
    expect(made.prompt).toMatch(/^# b\.py\n# line 0\n/);
    expect(made.suffix).toMatch(/^\nline 0\n/);
  });

  it("wants the rest of the line only where code stands behind the cursor", () => {
    const at = (after: string) => fim({ path: "a", language: "go", before: "x", after, others: [] }).single;
    expect([at(" + 1\nnext"), at(")\n"), at("\nfoo")]).toEqual([true, false, false]);
  });

  it.each([
    ["const k = 'sk-proj-abcdefghijklmnop1234'", "sk-proj-abcdefghijklmnop1234"],
    ['password = "hunter22"', "hunter22"],
    ["key AKIAABCDEFGHIJKLMNOP", "AKIAABCDEFGHIJKLMNOP"],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"],
    ["-----BEGIN PRIVATE KEY-----\nMIIEnotclosed", "MIIEnotclosed"],
    ["DATABASE_URL = 'postgres://ada:s3cret9@db/x'", "s3cret9"],
    ['headers["Authorization"] = "Bearer abcdefgh12345678xyz"', "abcdefgh12345678xyz"],
    ["ENV API_TOKEN=abc123def456ghi", "abc123def456ghi"],
    ["-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQOY\n-----END PGP PRIVATE KEY BLOCK-----", "lQOY"],
    ["t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk", "eyJzdWIiOiIxMjM0In0"],
  ])("blanks out %s", (text, secret) => {
    expect(withoutSecrets(text)).not.toContain(secret);
    const made = fimPrompt({
      path: "a",
      language: "c",
      before: `${text}\n`,
      after: `\n${text}`,
      others: [{ path: "b", text }],
    });
    expect(`${made?.prompt}${made?.suffix}`).not.toContain(secret);
  });

  it("is nothing where the cursor stands in a secret, and no half of a key whose beginning was cut away", () => {
    const key = `-----BEGIN PRIVATE KEY-----\n${"MIIEvQIBADANBg\n".repeat(120)}-----END PRIVATE KEY-----\n`;
    const hole = (before: string, after: string) => ({ path: "a", language: "python", before, after, others: [] });
    expect(fimPrompt(hole(key.slice(0, 200), key.slice(200)))).toBeNull();
    expect(fimPrompt(hole('password = "hunter2', '2"\n'))).toBeNull();
    const made = fim(hole(`${key}\nnext = `, `\n${key}`), { tokens: 200, others: 0 });
    expect(made.prompt + made.suffix).not.toContain("MIIE");
    expect(made.prompt).toContain("next = ");
    expect(fim(hole("token = get_token(request)\nTOKENS = count + ", "")).prompt).toContain("get_token(request)");
  });

  it("is nothing of files that an ignore list names, as .gitignore reads it", () => {
    const rules = [".env*", "*.pem", "secrets/", "/build/**", "# no", "docs/*.md", "!docs/open.md"];
    const named = [".env.local", "a/.env", "a/.ENV", "x/y.pem", "secrets/a.py", "a/secrets/b", "build/x/y", "docs/a.md"];
    expect(named.filter((path) => !isIgnored(path, rules))).toEqual([]);
    const free = ["env.py", "pem.txt", "a/build/x", "docs/open.md", "docs/a/b.md", "mysecrets/x"];
    expect(free.filter((path) => isIgnored(path, rules))).toEqual([]);
  });
});

describe("what is shown of ghost text", () => {
  it("repeats nothing that stands behind the cursor", () => {
    expect(trimmed("a + b\n\nprint(add(1, 2))\n", prompt("", "\n\nprint(add(1, 2))\n"))).toBe("a + b\n\nprint(add(1, 2))");
    expect(trimmed("one\n  two()\n", prompt("", "\n  two()\n"))).toBe("one");
    expect(trimmed("a, b)", prompt("", ")\n"))).toBe("a, b");
    expect(trimmed("first\nsecond", prompt("", " + 1", true))).toBe("first");
  });

  it("comes from the cache while the user types along, and is bounded", () => {
    const cache = new FimCache(2);
    cache.put(prompt("retu", "}"), "rn value;");
    expect(cache.get(prompt("return v", "}"))).toBe("alue;");
    expect(cache.get(prompt("return x", "}"))).toBeUndefined();
    expect(cache.get(prompt("retu", "]"))).toBeUndefined();
    cache.put(prompt("a"), "1");
    cache.put(prompt("b"), "2");
    expect(cache.get(prompt("retu", "}"))).toBeUndefined();
  });
});

describe("the side bar's page", () => {
  const at = (path: string, method = "GET") => allowed("http://127.0.0.1:8000", method, path);

  it("reads the marketplace and its agents, and nothing that spends, however it is spelt", () => {
    for (const path of ["/api/v1/marketplace/models?q=a", "/api/v1/agents/listings?q=a"]) expect(at(path)).toBe(path);
    const models = "/api/v1/marketplace/models";
    for (const path of [
      "/api/v1/agents/completion",
      `${models}/../../agents/completion`,
      `${models}/%2e%2e/%2E%2e/agents/completion`,
      `${models}/..\\..\\agents/completion`,
      "/api/v1/agents/listings/a/b",
      "@evil.example/api/v1/marketplace/models/../../x",
    ])
      expect(at(path)).toBeNull();
    expect(at("/api/v1/agents/listings", "POST")).toBeNull();
  });

  it("asks for picks without a model that the wallet pays for", () => {
    const path = "/api/v1/marketplace/recommendations";
    const sent = (body: string, to = path) => JSON.parse(unspending(to, body) ?? "null") as unknown;
    expect(sent('{"task":"handle it"}')).toEqual({ task: "handle it", settle: false });
    expect(sent('{"task":"handle it","settle":true}', `${path}?a=1`)).toEqual({ task: "handle it", settle: false });
    expect(sent("{task")).toEqual({});
    expect(unspending("/api/v1/marketplace/estimates", '{"a":1}')).toBe('{"a":1}');
  });
});

describe("addresses", () => {
  it("are taken as people write them, and never with a password in them", () => {
    const cases: [string, string | null][] = [
      ["localhost:8000/", "http://localhost:8000"],
      ["models.example.com", "https://models.example.com"],
      [" HTTP://10.0.0.5:8000/v1 ", "http://10.0.0.5:8000"],
      ["https://u:p@example.com", null],
      ["", null],
      ["http://", null],
    ];
    expect(cases.map(([written]) => originOf(written))).toEqual(cases.map(([, origin]) => origin));
  });

  it("that would send a key in the clear are told apart", () => {
    const plain = ["http://models.example.com", "http://10.0.0.5:1"].map(isPlainText);
    const safe = ["http://127.0.0.1:1", "http://localhost:1", "https://models.example.com"].map(isPlainText);
    expect([plain, safe]).toEqual([
      [true, true],
      [false, false, false],
    ]);
  });
});

describe("a receipt", () => {
  it("shows what it has, and a table that a name can't break", () => {
    const text = receiptMarkdown({
      request_id: "gen_1",
      cost: 0.5,
      model: "a|b",
      provider: "p",
      status: "ok",
      attempts: [{ provider: "p", model: "m", status: "ok" }],
    });
    expect(text).toContain("| Cost | $0.5 |");
    expect(text).toContain("a\\|b at p");
    expect(text).toContain("1. p, m: ok");
  });
});
