import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type * as code from "vscode";
import { actWords } from "../src/core/words";
import { Account } from "../src/host/account";
import { Ghost } from "../src/host/ghost";
import { Provider } from "../src/host/provider";
import { Wallet } from "../src/host/wallet";
import * as vscode from "./fake-vscode";
import { Server } from "./server";

/** The adapters between the editor and the core: the real server, a scripted provider, and a small stand-in for the editor. */
let server: Server;
beforeAll(async () => {
  server = await Server.start();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  for (const list of Object.values(vscode.seen)) list.length = 0;
  vscode.answers.length = 0;
  vscode.values.clear();
  vscode.setting("server", server.url);
  await server.script({});
});

async function signedIn(key: string | null = server.owner.key) {
  const context = vscode.context();
  if (key) await context.secrets.store(`key ${server.url}`, key);
  const account = new Account(context as unknown as code.ExtensionContext);
  const wallet = new Wallet(account, context as unknown as code.ExtensionContext);
  const bar = vscode.bars.at(-1);
  if (!bar) throw new Error("no status bar item");
  return { context, account, wallet, bar, provider: new Provider(account, wallet), ghost: new Ghost(account, wallet) };
}

type Parts = { part: unknown[] };
const say = (text: string) => [{ role: 1, content: [new vscode.LanguageModelTextPart(text)], name: undefined }];

async function chat(
  provider: Provider,
  token = new vscode.CancellationTokenSource().token,
  model = "gpt-4o-mini",
): Promise<Parts> {
  const found: Parts = { part: [] };
  const progress = { report: (part: unknown) => void found.part.push(part) };
  await provider.provideLanguageModelChatResponse(
    { id: model } as code.LanguageModelChatInformation,
    say("Hi") as unknown as code.LanguageModelChatRequestMessage[],
    {
      toolMode: vscode.LanguageModelChatToolMode.Auto,
      tools: [],
    } as unknown as code.ProvideLanguageModelChatResponseOptions,
    progress as code.Progress<code.LanguageModelResponsePart>,
    token as unknown as code.CancellationToken,
  );
  return found;
}

describe("the editor's chat", () => {
  it("gets text and the usage that its meter needs, and the status bar what it cost", async () => {
    const { provider, wallet, bar } = await signedIn();
    const { part } = await chat(provider);
    const text = part.filter((one) => one instanceof vscode.LanguageModelTextPart).map((one) => one.value);
    expect(text.join("")).toContain("Hello from the fake upstream");
    const usage = part.find((one) => one instanceof vscode.LanguageModelDataPart);
    expect(usage?.mimeType).toBe("usage");
    expect(JSON.parse(new TextDecoder().decode(usage?.data))).toMatchObject({ prompt_tokens: 11 });
    expect(wallet.lastRequest).toMatch(/^gen_/);
    expect(bar.text).toMatch(/^\$\(credit-card\) \$\d.* · \$0\.0/);
    expect(bar.command).toBe("agentMarketplace.receipt");
  });

  it("says a 402 in words with a button that leads to the cap, and asks no provider", async () => {
    const made = await fetch(`${server.url}/api/v1/marketplace/keys`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.owner.token}`, "content-type": "application/json" },
      body: JSON.stringify({ name: "small", cap: { amount: "0.000001" }, scopes: ["inference", "account:read"] }),
    });
    const { provider } = await signedIn(((await made.json()) as { key: string }).key);
    const before = await server.asked();
    vscode.answers.push(actWords.raiseCap);
    await expect(chat(provider)).rejects.toThrow(/cap/);
    expect(vscode.seen.warnings[0]).toMatch(/cap/);
    await expect.poll(() => vscode.seen.opened).toEqual([`${server.url}/account`]);
    expect(await server.asked()).toBe(before);
  });

  it("holds an answer to what it may cost", async () => {
    const { provider } = await signedIn();
    vscode.setting("maxCostPerAnswer", 0.0000001);
    const before = await server.asked();
    await expect(chat(provider)).rejects.toThrow(/cost/i);
    expect(await server.asked()).toBe(before);
  });

  it("has no key's refusal as one of its own, which asks to sign in", async () => {
    const { provider } = await signedIn(`sk-aam-${"0".repeat(38)}`);
    await expect(chat(provider)).rejects.toMatchObject({ code: "NoPermissions" });
    expect(vscode.seen.warnings).toHaveLength(1);
  });

  it("keeps the day's limit of a workspace without asking anybody", async () => {
    const { provider } = await signedIn();
    vscode.setting("dayLimit", 0.000001);
    await expect(chat(provider)).rejects.toThrow(); // the first is refused by its bound, or spends it
    const before = await server.asked();
    await expect(chat(provider)).rejects.toThrow();
    expect(await server.asked()).toBe(before);
  });

  it("stops the provider when its user stops", async () => {
    await server.script({ text: "one two three four five six seven .", stepped: true });
    const { provider } = await signedIn();
    const source = new vscode.CancellationTokenSource();
    const asked = (await server.asked()) + 1;
    const answering = chat(provider, source.token);
    await server.tell({ wait: asked });
    await server.tell({ release: 2 });
    source.cancel();
    await answering;
    expect(await server.tell({ over: asked })).toMatchObject({ hung_up: true });
  });

  it("offers nothing silently to who is signed out, and auto first to who is signed in", async () => {
    const out = await signedIn(null);
    expect(await out.provider.provideLanguageModelChatInformation({ silent: true })).toEqual([]);
    const { provider } = await signedIn();
    const offered = await provider.provideLanguageModelChatInformation({ silent: true });
    expect(offered[0]).toMatchObject({ isDefault: true });
    expect(offered.length).toBeLessThan(80);
  });
});

describe("ghost text", () => {
  const asking = { triggerKind: vscode.InlineCompletionTriggerKind.Automatic } as unknown as code.InlineCompletionContext;
  const token = () => new vscode.CancellationTokenSource().token as unknown as code.CancellationToken;
  async function ghost(one: Ghost, path: string, marked: string) {
    const { document, position } = vscode.file(path, marked);
    const at = [document as unknown as code.TextDocument, position as unknown as code.Position] as const;
    return (await one.provideInlineCompletionItems(...at, asking, token())).map(({ insertText }) => insertText);
  }
  beforeEach(() => vscode.setting("completion.delay", 0));

  it("fills the hole, and the same hole again from memory", async () => {
    const { ghost: one, wallet } = await signedIn();
    expect(await ghost(one, "sum.py", "def add(a, b):\n    return |\n")).toEqual(["a + b"]);
    const { calls } = wallet.completions.now;
    expect(await ghost(one, "sum.py", "def add(a, b):\n    return |\n")).toEqual(["a + b"]);
    expect([calls, wallet.completions.now.calls]).toEqual([1, 1]);
  });

  it("never sends a file of secrets, one that is ignored, or anything of an untrusted folder", async () => {
    const { ghost: one, wallet } = await signedIn();
    vscode.setting("completion.ignore", ["**/.env", "private/**"]);
    for (const path of [".env", "private/plans.py"]) expect(await ghost(one, path, "token = |")).toEqual([]);
    // A repository's own file takes nothing back, and is no word on the next folder's.
    vscode.folder("/repo", { ".aiignore": "!**/.env\nlocal.py", "deep/.aiignore": "/plans.py" });
    vscode.folder("/other", { ".aiignore": "!local.py" });
    for (const path of ["repo/.env", "repo/local.py", "repo/deep/plans.py"])
      expect(await ghost(one, path, "value = |")).toEqual([]);
    expect(wallet.completions.now.calls).toBe(0);
    vscode.workspace.isTrusted = false;
    expect(await ghost(one, "open.py", "value = |")).toEqual([]);
    vscode.workspace.isTrusted = true;
    expect(wallet.completions.now.calls).toBe(0);
  });

  it("ends with its day's limit", async () => {
    const { ghost: one, wallet } = await signedIn();
    expect(await ghost(one, "sum.py", "def add(a, b):\n    return |\n")).toEqual(["a + b"]);
    expect(wallet.completions.now.spent).toBeGreaterThan(0.000001);
    vscode.setting("completion.dayLimit", 0.000001);
    expect(await ghost(one, "sum.py", "def sub(a, b):\n    return |\n")).toEqual([]);
    expect(wallet.completions.now.calls).toBe(1);
  });

  it("rests after a failure and says so once in the status bar, never in a dialog", async () => {
    const { ghost: one } = await signedIn(`sk-aam-${"0".repeat(38)}`);
    vscode.setting("completion.model", "tiny-coder");
    expect(await ghost(one, "sum.py", "def add(a, b):\n    return |\n")).toEqual([]);
    expect(await ghost(one, "sum.py", "def sub(a, b):\n    return |\n")).toEqual([]);
    expect([vscode.seen.statuses.length, vscode.seen.warnings.length]).toEqual([1, 0]);
  });
});

describe("signing out", () => {
  it("leaves no key and no balance behind", async () => {
    const { account, wallet, bar } = await signedIn();
    await wallet.refresh();
    expect(bar.text).toContain("$(credit-card)");
    await account.signOut();
    expect(await account.key()).toBeUndefined();
    await wallet.refresh();
    expect(bar.text).toContain("sign in");
  });
});
