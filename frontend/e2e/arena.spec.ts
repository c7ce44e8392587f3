import { type APIRequestContext, expect as expectReply } from "@playwright/test";
import { signedIn } from "./chat-support";
import { expect, expectAccessible, expectAccessibleInEveryTheme, expectNoSidewaysScroll, isPhone, test } from "./fixtures";

const MODEL = "smollm2-135m";

/** Agents on the demo model: it is the only one that answers everywhere. */
async function agents(request: APIRequestContext, token: string, ...names: string[]): Promise<string[]> {
  return Promise.all(
    names.map(async (name) => {
      const reply = await request.post("/api/v1/agents/agents", {
        headers: { Authorization: `Bearer ${token}` },
        data: { name, model: MODEL, instructions: "", parameters: { max_tokens: 16 } },
      });
      expectReply(reply.ok(), await reply.text()).toBe(true);
      return (await reply.json()).agent.id;
    }),
  );
}

const question = (name = "Question to all") => ({ name, exact: true });

test("a blind comparison hides names until the vote, survives a reload, and goes on as a chat", async ({
  page,
  request,
}) => {
  const { token } = await signedIn(page, request);
  const ids = await agents(request, token, "Shy", "Bold");
  await page.goto(`/compare?models=${ids.join(",")}`);
  await expect(page.getByText("Shy")).toBeVisible();
  await page.getByLabel(/^Blind/).check();
  const field = page.getByRole("textbox", question());
  await field.fill("Say something about the sea.");
  await expect(page.getByText("All together: free")).toBeVisible();
  await field.press("Enter");
  await expect(page).toHaveURL(/id=cmp_/);
  await page.reload();
  await expect(page.getByRole("button", { name: "A is better" })).toBeEnabled({ timeout: 60_000 });
  await expect(page.getByText(/Shy|Bold/)).toHaveCount(0);
  await expectAccessibleInEveryTheme(page);
  await expectNoSidewaysScroll(page);
  await page.getByText("Why? (optional)").click();
  await page.getByLabel("clarity").check();
  await page.getByRole("button", { name: "A is better" }).click();
  await expect(page.getByText("your choice").first()).toBeVisible();
  if (!isPhone(page)) {
    await expect(page.getByRole("article", { name: /Shy/ })).toBeVisible();
    await expect(page.getByRole("article", { name: /Bold/ })).toBeVisible();
    await page.getByRole("button", { name: "What differs" }).click();
    await expect(page.getByRole("dialog", { name: "What differs" }).getByLabel("First answer")).toBeVisible();
    await page.keyboard.press("Escape");
  }
  await page.getByRole("button", { name: /^What happened with A/ }).click();
  await expect(page.getByRole("dialog", { name: "What happened" })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^Continue with A/ }).click();
  await expect(page).toHaveURL(/chat=conv_/);
  await expect(page.getByText("Say something about the sea.").last()).toBeVisible();
});

test("an offered agent is picked beside a model once it was agreed to, and its side is a run", async ({ page, request }) => {
  const { token } = await signedIn(page, request);
  const headers = { Authorization: `Bearer ${token}` };
  const [model] = await agents(request, token, "Plain");
  await page.goto(`/compare?models=${model}`);
  await page.getByRole("button", { name: "Add a model" }).click();
  await page.getByRole("combobox", { name: "Search models" }).fill("doc writer");
  const option = page.getByRole("option", { name: /operator\/doc-writer/ });
  await expect(option).toContainText("Agree to what it may do first");
  const agreed = await request.post("/api/v1/agents/listings/operator/doc-writer/consent", {
    headers,
    data: { version: 1 },
  });
  expectReply(agreed.ok(), await agreed.text()).toBe(true);
  await page.reload();
  await page.getByRole("button", { name: "Add a model" }).click();
  await page.getByRole("combobox", { name: "Search models" }).fill("doc writer");
  await option.click();
  await expect(page.getByText("agent/operator/doc-writer")).toBeVisible();
  const field = page.getByRole("textbox", question());
  await field.fill("Document: def f(): pass");
  await field.press("Enter");
  await expect(page).toHaveURL(/id=cmp_/);
  const side = page.getByRole("article", { name: /doc-writer/ });
  await expect(side.getByRole("link", { name: "Its steps" })).toBeVisible();
  await side.getByRole("button", { name: /^Stop/ }).click(); // the demo model would write for minutes
  await expect(side).toHaveAttribute("aria-busy", "false", { timeout: 30_000 });
  await side.getByRole("link", { name: "Its steps" }).click();
  await expect(page.getByRole("region", { name: /^Run of/ })).toBeVisible();
});

test("of four columns one fails alone, one is stopped, and the set is kept", async ({ page, request }) => {
  test.skip(isPhone(page), "columns stand beside each other on a desk");
  const { token } = await signedIn(page, request);
  const ids = await agents(request, token, "One", "Two");
  await page.goto(`/compare?models=${[MODEL, ...ids, "claude-opus-5"].join(",")}`);
  await page.getByRole("button", { name: "Keep this set" }).click();
  await page.getByLabel("Name of the set").fill("My four");
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Kept sets")).toHaveValue("My four");
  const field = page.getByRole("textbox", question());
  await field.fill("Count from one to two hundred.");
  await expect(page.getByText(/1 of 4 can't be asked/)).toBeVisible();
  await field.press("Enter");
  await expect(page.getByRole("article")).toHaveCount(4);
  const failed = page.getByRole("article", { name: /Opus/ });
  await expect(failed.getByRole("alert")).toBeVisible();
  const stop = page.getByRole("button", { name: /^Stop A/ });
  await stop.click();
  await expect(page.getByRole("button", { name: /^Stop/ })).toHaveCount(0, { timeout: 90_000 });
  await expect(page.getByRole("button", { name: /^Ask D .*Opus.* again/ })).toBeVisible();
  await expect(page.getByRole("textbox", question("Next question to all"))).toBeVisible();
  await expectAccessible(page);
});

test("the leaderboard says that there are no votes, and why", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/leaderboard");
  await expect(page.getByText("No votes yet")).toBeVisible();
  const chart = page.getByRole("figure", { name: "Price against quality" });
  await expect(chart).toHaveAccessibleDescription(/models at code generation/);
  const cursor = chart.getByRole("slider");
  await cursor.focus();
  await page.keyboard.press("Home");
  await expect(cursor).toHaveAttribute("aria-valuetext", /quality/);
  await expectAccessibleInEveryTheme(page);
  await expectNoSidewaysScroll(page);
  await cursor.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/marketplace\?.*view=/);
});
