import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { answered, ask, composer, newAccount, shortAnswers, signedIn } from "./chat-support";
import { expect, test } from "./fixtures";

const editor = (page: Page) => page.locator(".cm-content");

async function type(page: Page, text: string): Promise<void> {
  await editor(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(text);
}

test("over plain http on the local network every page works and code can be copied", { tag: "@phone" }, async ({
  page,
  baseURL,
}) => {
  // The name leads to this machine and is no localhost: no secure context, as for whoever follows compose.yaml.
  const lan = (baseURL ?? "").replace("127.0.0.1", "lan.test");
  for (const path of ["/", "/marketplace", "/chat", "/account"]) {
    await page.goto(lan + path);
    await expect(page.locator("#main")).not.toBeEmpty();
    await expect(page.getByText("This part of the page broke")).toHaveCount(0);
  }
  expect(await page.evaluate(() => isSecureContext)).toBe(false);
});

test("two tabs of the workbench both keep what was written", async ({ page, context }) => {
  await page.goto("/?pane=editor");
  const other = await context.newPage();
  await other.goto("/?pane=editor");
  await type(page, "# from tab one\n");
  await expect(editor(other)).toContainText("from tab one");
  await type(other, "# from tab two\n");
  await expect(editor(page)).toContainText("from tab two");
  await page.reload();
  await expect(editor(page)).toContainText("from tab one");
  await expect(editor(page)).toContainText("from tab two");
});

test("the next user of this browser sees neither files nor draft of the one who signed out", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/");
  await type(page, "secret = 1\n");
  await page.getByRole("region", { name: "Chat" }).getByRole("textbox").first().fill("a secret draft");
  await page.goto("/account");
  await page.getByRole("button", { name: "Sign out" }).click();
  const question = page.getByRole("dialog", { name: /forget what was not saved/ });
  await expect(question).toContainText("scratch.py");
  await expect(question).toContainText("a question that was not sent");
  await question.getByRole("button", { name: "Sign out and forget them" }).click();
  await expect(page.getByText("You are not signed in")).toBeVisible();
  // Not by reload: `signedIn` would put the token back.
  await page
    .getByRole("link", { name: /workbench/i })
    .first()
    .click();
  await expect(editor(page)).toContainText("scratch file");
  await expect(editor(page)).not.toContainText("secret");
  await expect(page.getByRole("region", { name: "Chat" }).getByRole("textbox").first()).toHaveValue("");
});

test("a chat in two tabs: the answer is seen coming, stopped, renamed and deleted in either, and no draft goes with it", async ({
  page,
  context,
  request,
}) => {
  await signedIn(page, request);
  await page.goto("/chat?model=smollm2-135m");
  await shortAnswers(page);
  await ask(page, "Say hello.");
  await answered(page);
  const token = await page.evaluate(() => localStorage.getItem("token") ?? "");
  const other = await context.newPage();
  await other.addInitScript((text) => localStorage.setItem("token", text), token);
  await other.goto(page.url());
  await expect(other.getByRole("article", { name: "Your message" })).toHaveCount(1);
  await page.unrouteAll();
  await ask(page, "Write a long story about a lighthouse keeper and her cat.");
  await other.getByRole("button", { name: "Stop the answer" }).click();
  await expect(page.getByRole("button", { name: "Stop the answer" })).toBeHidden();
  await composer(page).fill("half written");

  await other.getByRole("button", { name: /^Actions for/ }).click();
  await other.getByRole("menuitem", { name: "Rename" }).click();
  await other.getByRole("textbox", { name: "Title of the chat" }).fill("Lighthouse");
  await other.keyboard.press("Enter");
  await expect(page).toHaveTitle(/^Lighthouse/);
  await expect(page.getByRole("link", { name: "Lighthouse" })).toHaveAttribute("href", /chat=conv_/);

  await other.getByRole("button", { name: "Actions for Lighthouse" }).click();
  await other.getByRole("menuitem", { name: "Delete…" }).click();
  await other.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("It was deleted in another tab or window.")).toBeVisible();
  await page.getByRole("main").getByRole("button", { name: "New chat" }).last().click();
  await expect(composer(page)).toHaveValue("half written");
});

test("a link to somebody's chat asks its reader to sign in, and shows it afterwards", async ({ page, request }) => {
  const { token } = await newAccount(request);
  await page.goto("/chat?chat=conv_of_mine");
  await expect(page.getByText("Sign in to see this chat")).toBeVisible();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).last().click();
  await expect(page.getByRole("dialog", { name: "Sign in" })).toBeVisible();
  await page.evaluate((text) => localStorage.setItem("token", text), token);
  await page.reload();
  await expect(page.getByText("This chat does not exist any more")).toBeVisible();
});

test("a file that is saved keeps its encoding and line ends", async ({ page }) => {
  await page.addInitScript(() => Object.assign(window, { showOpenFilePicker: undefined, showSaveFilePicker: undefined }));
  await page.goto("/?pane=editor");
  await expect(editor(page)).toBeVisible();
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Open files from disk" }).click();
  const before = Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x0d, 0x0a]);
  await (await chooser).setFiles([{ name: "menu.txt", mimeType: "text/plain", buffer: before }]);
  await expect(editor(page)).toContainText("café");
  await type(page, "ü");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save to disk" }).click();
  expect([...(await readFile(await (await download).path()))]).toEqual([...before, 0xfc]);
  await type(page, "→");
  await page.getByRole("button", { name: "Save to disk" }).click();
  await expect(page.getByText(/Not saved: “→” cannot be written/)).toBeVisible();
});

test("a model without a key says so before anything is sent, and offers one", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/chat?model=claude-opus-4-8");
  const chat = page.getByRole("region", { name: "Chat" });
  await expect(chat.getByText(/needs a key that this server does not have/)).toBeVisible();
  await ask(page, "Hello?");
  await expect(chat.getByText("Your question is kept: with a key of your own it goes on.")).toBeVisible();
  await chat.getByRole("article").getByRole("button", { name: "Add a key" }).click();
  await expect(page.getByRole("dialog", { name: /Your key/ }).getByLabel("API key")).toBeVisible();
});
