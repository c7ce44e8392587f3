import { answered, ask, composer, PASSWORD, shortAnswers, signedIn } from "./chat-support";
import { expect, expectAccessible, expectNoSidewaysScroll, isPhone, test } from "./fixtures";

test.setTimeout(120_000);

/** What the small local model writes about for a good while. */
const LONG = "Write a long story about a lighthouse keeper and her cat.";

test("a newcomer's first question is answered, priced and kept", { tag: "@phone" }, async ({ page }) => {
  await shortAnswers(page);
  await page.goto("/chat");
  await ask(page, "Say hello in one short sentence.");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("tab", { name: "Sign up" }).click();
  // The panel that goes away may still be there for a moment.
  const form = dialog.getByRole("tabpanel", { name: "Sign up" });
  await form.getByLabel("Email").fill(`new-${crypto.randomUUID()}@example.com`);
  await form.getByRole("textbox", { name: "Password", exact: true }).fill(PASSWORD);
  await form.getByLabel("Confirm password").fill(PASSWORD);
  await form.getByRole("button", { name: "Sign up" }).click();
  await expect(dialog).toBeHidden();
  await answered(page);
  const answer = page.getByRole("article", { name: /^Answer by/ });
  await expect(answer).toContainText("· This computer");
  await expect(answer).toContainText(/\d+ in.* · \d+ out · free · [\d.]+ m?s to first token/);
  await answer.getByRole("button", { name: "What happened (receipt)" }).click();
  await expect(page.getByRole("dialog", { name: "What happened" })).toContainText("answered");
  await page.keyboard.press("Escape");
  await page.reload();
  await expect(page.getByRole("article", { name: "Your message" })).toContainText("Say hello");
  await expect(answer).toContainText("out · free");
});

test("stop stops at once, keeps the part, and the chat goes on", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/chat");
  await ask(page, LONG);
  const answer = page.getByRole("article", { name: /^Answer by/ });
  await expect(answer.locator(".prose-chat")).not.toBeEmpty({ timeout: 30_000 });
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await expect(page.getByRole("button", { name: "Send" })).toBeVisible();
  await expect(answer).toContainText("You stopped this answer");
  const part = await answer.locator(".prose-chat").textContent();
  await expect(answer).toContainText(/ out · free/);
  expect(await answer.locator(".prose-chat").textContent()).toBe(part);
  await shortAnswers(page);
  await ask(page, "Say OK.");
  await answered(page);
  await expect(page.getByRole("article", { name: "Your message" })).toHaveCount(2);
});

test("an answer that is being written is taken up again after a reload", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/chat");
  await ask(page, LONG);
  const answer = page.getByRole("article", { name: /^Answer by/ });
  await expect(answer.locator(".prose-chat")).not.toBeEmpty({ timeout: 30_000 });
  const before = (await answer.locator(".prose-chat").textContent()) ?? "";
  await page.reload();
  const stop = page.getByRole("button", { name: "Stop the answer" });
  await expect(stop).toBeVisible();
  await expect.poll(async () => (await answer.locator(".prose-chat").textContent())?.length).toBeGreaterThan(before.length);
  const after = (await answer.locator(".prose-chat").textContent()) ?? "";
  expect(after.replace(/\s/g, "")).toContain(before.replace(/\s/g, "").slice(0, 40));
  await stop.click();
  await expect(answer).toContainText("You stopped this answer");
  await expect(answer).toContainText(/ out · free/);
});

test("an edited question is a branch; both can be read again", async ({ page, request }) => {
  await signedIn(page, request);
  await shortAnswers(page);
  await page.goto("/chat");
  await ask(page, "Say red.");
  await answered(page);
  await page.getByRole("button", { name: "Edit message" }).click();
  await page.getByRole("textbox", { name: "Edit message" }).fill("Say blue.");
  await page.keyboard.press("Enter");
  await answered(page);
  const question = page.getByRole("article", { name: "Your message" });
  await expect(question).toContainText("Say blue.");
  await question.getByRole("button", { name: "Previous message" }).click();
  await expect(question).toContainText("Say red.");
  await page.reload();
  await expect(question).toContainText("2/2");
  await page.getByRole("button", { name: "Answer again" }).click();
  await answered(page);
  await expect(page.getByRole("article", { name: /^Answer by/ })).toContainText("2/2");
});

test("the history is searched, renamed, saved and emptied", { tag: "@phone" }, async ({ page, request }) => {
  await signedIn(page, request);
  await shortAnswers(page);
  await page.goto("/chat");
  await ask(page, "Say pelican.");
  await answered(page);
  if (isPhone(page)) await page.getByRole("button", { name: "Chat history" }).click();
  const history = page.getByRole("navigation", { name: "Chat history" });
  await history.getByRole("button", { name: /^Actions for/ }).click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await history.getByRole("textbox", { name: "Title of the chat" }).fill("Birds");
  await history.getByRole("button", { name: "Save the title" }).click();
  await expect(history.getByRole("link", { name: "Birds", exact: true })).toBeVisible();
  await history.getByRole("searchbox").fill("pelican");
  await expect(history.getByRole("link", { name: "Birds", exact: true })).toBeVisible();
  await history.getByRole("searchbox").fill("nothing like it");
  await expect(history.getByText("No chat has “nothing like it” in it.")).toBeVisible();
  await history.getByRole("searchbox").fill("");
  const saved = page.waitForEvent("download");
  await history.getByRole("button", { name: "Actions for Birds" }).click();
  await page.getByRole("menuitem", { name: "Save as Markdown" }).click();
  expect((await saved).suggestedFilename()).toBe("Birds.md");
  await history.getByRole("button", { name: "Actions for Birds" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("dialog", { name: "Delete this chat?" }).getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("link", { name: "Birds", exact: true })).toHaveCount(0);
  await expect(page.getByText("Ask anything")).toBeVisible();
});

test("a temporary chat leaves nothing on the server", async ({ page, request }) => {
  const { token } = await signedIn(page, request);
  await shortAnswers(page);
  await page.goto("/chat");
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Temporary chat" }).click();
  await ask(page, "Say otter.");
  await answered(page);
  const kept = await request.get("/api/v1/agents/conversations", { headers: { Authorization: `Bearer ${token}` } });
  expect((await kept.json()).conversations).toEqual([]);
});

test("everything goes by keyboard: model, instructions, question, stop", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/chat");
  await expect(composer(page)).toBeFocused();
  await page.keyboard.type("/model smol");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Choose a model" })).toBeVisible();
  await expect(page.getByRole("option").first()).toContainText("SmolLM2");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await composer(page).focus();
  await page.keyboard.type("/system Answer with one word.");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Instructions", { exact: true })).toBeVisible();
  await page.keyboard.type(LONG);
  await expect(page.getByText(/This message: free/)).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Stop the answer" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByText(/You stopped this answer/)).toBeVisible();
});

test("a draft survives a reload, each chat its own", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/chat");
  await composer(page).fill("half a thought");
  await page.reload();
  await expect(composer(page)).toHaveValue("half a thought");
  await expectNoSidewaysScroll(page);
});

test("an agent is made, asked, changed into a second version and deleted; its chat stays", async ({ page, request }) => {
  await signedIn(page, request);
  await shortAnswers(page);
  await page.goto("/chat");
  const openAgents = async () => {
    await page.getByTitle("Change the model").click();
    await page.getByRole("button", { name: "Your agents…" }).click();
  };
  const dialog = page.getByRole("dialog");
  await openAgents();
  await dialog.getByRole("button", { name: "New agent" }).click();
  await dialog.getByLabel("Name").fill("Parrot");
  await dialog.getByLabel("Model").selectOption("smollm2-135m");
  await dialog.getByLabel("Instructions").fill("Repeat what is said.");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await dialog.getByRole("button", { name: "Chat with Parrot" }).click();
  const header = page.getByTitle("Change the model");
  await expect(header).toContainText("Parrot");
  await ask(page, "Polly.");
  await answered(page);
  await page.reload();
  await expect(header).toContainText("Parrot");
  await openAgents();
  await dialog.getByRole("button", { name: "Change Parrot" }).click();
  await dialog.getByLabel("Temperature").fill("0.3");
  await dialog.getByRole("button", { name: "Save as a new version" }).click();
  await expect(dialog.getByRole("listitem", { name: "Parrot" })).toContainText("version 2");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Delete Parrot" }).click();
  await dialog.getByRole("button", { name: "Delete for good" }).click();
  await expect(dialog.getByText("No agents yet")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(header).toContainText("SmolLM2");
  await expect(page.getByRole("article", { name: "Your message" })).toContainText("Polly.");
});
