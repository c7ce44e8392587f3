import { composer, signedIn } from "./chat-support";
import { expect, expectAccessible, expectNoSidewaysScroll, isPhone, test } from "./fixtures";

const EXPORT = JSON.stringify([
  {
    title: "From elsewhere",
    create_time: 1_700_000_000,
    current_node: "b",
    mapping: {
      a: {
        parent: null,
        message: { author: { role: "user" }, content: { content_type: "text", parts: ["What is a mutex?"] } },
      },
      b: {
        parent: "a",
        message: {
          author: { role: "assistant" },
          content: { content_type: "text", parts: ["A **lock**.\n\n<script>window.__x=1</script>"] },
        },
      },
    },
  },
  { title: "Empty", mapping: {} },
]);

test("chats are imported, put into a folder, shared with anybody and taken back @phone", async ({
  page,
  request,
  browser,
}) => {
  await signedIn(page, request);
  await page.goto("/chat");
  const list = page.getByRole("navigation", { name: "Chat history" });
  if (isPhone(page)) await page.getByRole("button", { name: "Chat history" }).click();
  await page.getByRole("button", { name: "Import chats…" }).click();
  const dialog = page.getByRole("dialog", { name: "Import chats" });
  await dialog
    .getByTestId("import-file")
    .setInputFiles({ name: "conversations.json", mimeType: "application/json", buffer: Buffer.from(EXPORT) });
  await expect(dialog.getByText("1 chat with 2 messages is here now.")).toBeVisible();
  await expect(dialog.getByText("1 left out")).toBeVisible();
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Close" }).last().click();

  await page.getByRole("button", { name: "Actions for From elsewhere" }).click();
  await page.getByRole("menuitem", { name: "Folder and tags…" }).click();
  const organise = page.getByRole("dialog", { name: "Folder and tags" });
  await organise.getByLabel("Folder").fill("Reading");
  await organise.getByLabel("Tags").fill("locks, old");
  await expectAccessible(page);
  await organise.getByRole("button", { name: "Save" }).click();
  await page.getByLabel("Chats shown").selectOption({ label: "Reading (1)" });
  await list.getByRole("link", { name: /^From elsewhere/ }).click();
  await expect(page.getByText("A lock.")).toBeVisible();

  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Share…" }).click();
  const share = page.getByRole("dialog", { name: "Share this chat" });
  await share.getByRole("button", { name: "Make a link" }).click();
  const link = await share.getByLabel("Link", { exact: true }).inputValue();
  await expectAccessible(page);

  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(link);
  await expect(stranger.getByRole("heading", { name: "From elsewhere" })).toBeVisible();
  await expect(stranger.getByText("<script>window.__x=1</script>")).toBeVisible();
  await expectAccessible(stranger);
  await expectNoSidewaysScroll(stranger);
  await share.getByRole("button", { name: "Take the link back" }).click();
  await expect(share.getByRole("button", { name: "Make a link" })).toBeVisible();
  await stranger.reload();
  await expect(stranger.getByText("This link leads nowhere")).toBeVisible();
  await stranger.context().close();
});

test("a kept prompt asks for its blanks before it goes into the message", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/chat");
  await composer(page).fill("/prompts");
  await composer(page).press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "New prompt" }).click();
  await dialog.getByLabel("Name").fill("Explain");
  await dialog.getByLabel("Prompt").fill("Explain {{topic}} to {{who=a child}}.");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("button", { name: /^Explain/ }).click();
  await dialog.getByLabel("topic").fill("a mutex");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Put into the message" }).click();
  await expect(composer(page)).toHaveValue("Explain a mutex to a child.");
});

test("a file of prompts is put to a model within a budget, and its results are saved", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/evaluations?models=smollm2-135m");
  const form = page.getByRole("form", { name: "New evaluation" });
  await form.getByRole("button", { name: "Begin" }).click();
  await expect(form.getByRole("alert")).toHaveText("Choose a file first.");
  await form
    .getByLabel(/^Prompts/)
    .setInputFiles({ name: "small.csv", mimeType: "text/csv", buffer: Buffer.from("prompt\nSay hi.\n") });
  await form.getByLabel("Longest answer, tokens").fill("8");
  await form.getByRole("button", { name: "Begin" }).click();
  const card = page.getByRole("article", { name: "small.csv" });
  await expect(card.getByRole("status")).toHaveText("Done: 1 of 1 answers.", { timeout: 60_000 });
  await expectAccessible(page);
  const saved = page.waitForEvent("download");
  await card.getByRole("button", { name: "Results as CSV" }).click();
  expect((await saved).suggestedFilename()).toBe("small.csv-results.csv");
  await card.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("None yet.")).toBeVisible();
});

test("a model's page says its place by price and quality, and the scatter fills a comparison", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/marketplace?view=gpt-5.4-nano");
  const place = page.getByRole("dialog").getByText(/^Place \d+ of \d+ by quality/);
  await expect(place).toBeVisible();
  await expect(page.getByText(/No change since|From$/)).toBeVisible();
  await expectAccessible(page);
  await page.goto("/leaderboard");
  await page.getByLabel("Choose models to compare").check();
  await expect(page.getByText("Choose two to 4 points.")).toBeVisible();
  await expectAccessible(page);
});
