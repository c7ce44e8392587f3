import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, type FrameLocator, type Page, test } from "@playwright/test";
import { favourites } from "../src/core/market";
import { Editor } from "./editor";

/** A newcomer's way through the extension, in VS Code's own code, with the real server and a scripted provider behind it. */
test.describe.configure({ mode: "serial" });

const images = fileURLToPath(new URL("../../../docs/images/", import.meta.url));
const MODEL = "GPT-4o Mini";
let editor: Editor;
let page: Page;

test.beforeAll(async ({ browser }) => {
  editor = await Editor.start();
  page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await page.goto(editor.url);
});
test.afterAll(() => editor?.stop());

/** The palette. Keys go to whatever has the focus, and the side bar's page is a frame: it gives the focus up first. */
async function palette(text: string): Promise<void> {
  await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
  await page.keyboard.press("F1");
  await page.locator(".quick-input-widget input[type=text]").fill(text);
}

async function command(name: string): Promise<void> {
  await palette(`>${name}`);
  await page.getByRole("option", { name }).first().waitFor();
  await page.keyboard.press("Enter");
}

const chatInput = () => page.getByRole("textbox", { name: /^Chat Input/ });
/** code-server of 1.105 has the chat's view, but nobody in it who answers: that came as an extension of GitHub's. */
const withoutChat = () => test.skip(editor.level < 109, `the chat of VS Code 1.${editor.level} needs GitHub's extension`);
const balance = () => page.getByRole("button", { name: /Click for the receipt/ });

async function say(text: string): Promise<void> {
  await chatInput().focus();
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

/** The first questions of a new profile only wake the editor's own chat up: "Please try again." */
async function warmUp(): Promise<void> {
  const answer = page.getByText("Hello from the fake upstream .").first();
  await expect(async () => {
    await say("Hello");
    await expect(answer).toBeVisible({ timeout: 10_000 });
  }).toPass({ timeout: 90_000 });
}

/** The page of the side bar: a frame in a frame. */
function sideBar(): FrameLocator {
  return page.frameLocator("iframe.webview.ready").first().frameLocator("#active-frame");
}

async function picture(name: string): Promise<void> {
  await page.mouse.move(700, 600);
  await page.screenshot({ path: `${images}${name}.png` });
}

async function seen(): Promise<
  { path: string; body: { model: string; tools?: object[]; messages: { role: string; content: string }[] } }[]
> {
  return (await editor.server.tell<{ seen: never[] }>({ seen: true })).seen;
}

const chunk = (delta: object, more: object = {}) =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: null, ...more }] })}\n\n`;

test("a newcomer installs it from the server and signs in with a code", async () => {
  await page.getByRole("button", { name: /Marketplace: sign in/ }).click();
  const note = page.getByText(/^Type \w{4}-\w{4} at/);
  const code = /Type (\S+)/.exec((await note.textContent()) ?? "")?.[1];
  await editor.server.api(editor.server.owner.token).post("/api/v1/marketplace/auth/device/approve", {
    user_code: code,
    name: "VS Code",
    scopes: ["inference", "account:read", "account:write"],
    cap: { amount: "3", period: "day" },
  });
  await expect(balance()).toContainText("$5.00");
});

test("the marketplace stands in the side bar, and a star there is a star everywhere", async () => {
  await page.getByRole("tab", { name: "AI Agent Marketplace" }).click();
  const market = sideBar();
  await expect(market.getByText("$5.00 to spend")).toBeVisible();
  await market.getByRole("textbox").first().fill(MODEL);
  const star = market.getByRole("button", { name: new RegExp(`favourite.*${MODEL}|${MODEL}.*favourite`, "i") }).first();
  await star.click();
  await expect.poll(() => favourites(editor.server.api())).toEqual(["gpt-4o-mini"]);
});

test("the chat's picker shows prices, and an agent of the editor's works with tools and money", async () => {
  withoutChat();
  await command("Chat: Open Chat");
  await expect(chatInput()).toBeVisible();
  await page.getByRole("button", { name: /^Models,/ }).click();
  const others = page.getByText("Other Models");
  if (await others.isVisible()) await others.click();
  await expect(page.getByText("$0.15/$0.6")).toBeVisible();
  await picture("vscode-picker");
  await page.getByText(MODEL, { exact: true }).first().click();
  await warmUp();
  const input = JSON.stringify({ filePath: `${editor.folder}/adder.py`, startLine: 1, endLine: 6 });
  const call = {
    tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "read_file", arguments: input } }],
  };
  const end = chunk({}, { finish_reason: "tool_calls" });
  const usage = `data: {"id":"c","choices":[],"usage":{"prompt_tokens":900,"completion_tokens":40,"total_tokens":940}}\n\ndata: [DONE]\n\n`;
  const answer = { text: "It adds a and b. Write return a + b.", usage: [1200, 60] };
  await editor.server.script({ frames: [chunk(call), end, usage] }, answer);
  await say("What is missing in adder.py?");
  await expect(page.getByText("It adds a and b.").first()).toBeVisible({ timeout: 45_000 });
  // Other calls of the editor's may stand between: what asks with tools and what brings a tool's result are looked for by what they are.
  const withTools = (await seen()).filter(({ body }) => (body.tools?.length ?? 0) > 10);
  const results = withTools.flatMap(({ body }) => body.messages.filter(({ role }) => role === "tool"));
  expect(results.at(-1)?.content).toContain("The sum.");
  await expect(balance()).toContainText("· $0.000");
});

test("stop stops the provider", async () => {
  withoutChat();
  const number = (await editor.server.asked()) + 1;
  await editor.server.script({ stepped: true, text: "one two three four five six seven eight" });
  await say("Count slowly");
  await editor.server.tell({ wait: number });
  await editor.server.tell({ release: 3 });
  await page
    .getByRole("button", { name: /^(Cancel|Stop)/ })
    .last()
    .click();
  expect(await editor.server.tell({ over: number })).toEqual({ hung_up: true, completed: false });
  await editor.server.script({});
});

test("what the money does not allow is said in the chat in words, and no provider is asked", async () => {
  withoutChat();
  const folder = `${editor.folder}/.vscode`;
  mkdirSync(folder);
  writeFileSync(`${folder}/settings.json`, JSON.stringify({ "agentMarketplace.maxCostPerAnswer": 0.0000001 }));
  const refused = page.getByText(/Your limit an answer is the setting/).first();
  // The editor hears of the file a moment later.
  await expect(async () => {
    await say("Is this too dear?");
    await expect(refused).toBeVisible({ timeout: 10_000 });
  }).toPass({ timeout: 60_000 });
  const before = await editor.server.asked();
  await say("And is this?");
  await expect(page.getByText("And is this?").first()).toBeVisible();
  await expect(page.getByRole("button", { name: /^(Cancel|Stop)/ })).toHaveCount(0);
  expect(await editor.server.asked()).toBe(before);
  rmSync(folder, { recursive: true });
});

test("ghost text fills the hole, and the money is counted", async () => {
  await page.getByRole("tab", { name: /^Explorer/ }).click();
  await page.getByRole("treeitem", { name: /adder\.py/ }).dblclick();
  await page.getByRole("tab", { name: "AI Agent Marketplace" }).click();
  await page.locator(".view-line", { hasText: "return" }).click();
  await page.keyboard.press("End");
  await page.keyboard.type(" ");
  await expect(page.locator(".ghost-text-decoration").first()).toBeVisible();
  await picture("vscode");
  await page.keyboard.press("Tab");
  await expect(page.locator(".ghost-text-decoration")).toHaveCount(0);
  await expect(page.locator(".view-line", { hasText: "return" })).toContainText(/a\s\+\sb/);
  await expect(balance()).toHaveAccessibleName(/for [1-9]\d* completions/);
});

test("a change is shown as a diff with its cost before it, and the file waits for the yes", async () => {
  await page.locator(".view-line", { hasText: "print" }).click();
  await page.keyboard.press("End");
  await page.keyboard.press("Shift+Home");
  await editor.server.script({ text: "```python\nprint(add(2, 3))\n```", usage: [300, 12] });
  await command("Marketplace: Change the selection, or write at the cursor");
  await page.locator(".quick-input-widget input[type=text]").fill("add other numbers");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("option", { name: /Ask.*about \$.*at most \$/ })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByText(/adder\.py: proposed/).first()).toBeVisible();
  await picture("vscode-edit");
  expect(readFileSync(`${editor.folder}/adder.py`, "utf8")).toContain("print(add(1, 2))");
  await page.getByRole("button", { name: "Apply", exact: true }).click();
  await expect(page.locator(".view-line", { hasText: "print" }).first()).toContainText("add(2,");
  await expect(balance()).toContainText("· $0.000");
});

test("a click on the balance is the receipt of the last answer", async () => {
  await balance().click();
  const receipt = page.frameLocator("iframe.webview.ready").last().frameLocator("#active-frame");
  await expect(receipt.getByRole("heading", { name: "Receipt" })).toBeVisible();
  await expect(receipt.getByText("gpt-4o-mini at openai")).toBeVisible();
  await picture("vscode-receipt");
});

test("the marketplace's MCP server runs in the editor's own list", async () => {
  await command("MCP: List Servers");
  await expect(page.getByRole("option", { name: /AI Agent Marketplace/ })).toBeVisible();
  await page.keyboard.press("Escape");
});

test("after a sign-out nothing is asked in anybody's name", async () => {
  await command("Marketplace: Sign out");
  await expect(page.getByRole("button", { name: /Marketplace: sign in/ })).toBeVisible();
  await expect(sideBar().getByRole("button", { name: "Sign in" })).toBeVisible();
});
