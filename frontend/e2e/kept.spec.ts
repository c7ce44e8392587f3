import type { Page } from "@playwright/test";
import { answered, ask, composer, shortAnswers, signedIn } from "./chat-support";
import { expect, expectAccessible, test } from "./fixtures";

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const attached = (page: Page) => page.getByRole("list", { name: "Attached images" }).getByRole("img");

/** A file as a browser hands it over when it is dropped; `folder`: one that can't be read. */
async function drop(page: Page, selector: string, name: string, { folder = false, base64 = "", type = "" } = {}) {
  await page.locator(selector).evaluate(
    (place, { name, folder, base64, type }) => {
      const file = new File([Uint8Array.from(atob(base64), (one) => one.charCodeAt(0))], name, { type });
      if (folder) Object.assign(file, { arrayBuffer: () => Promise.reject(new DOMException("no", "NotFoundError")) });
      const event = new DragEvent("drop", { bubbles: true, cancelable: true });
      Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], files: [file] } });
      place.dispatchEvent(event);
    },
    { name, folder, base64, type },
  );
}

test("pictures of a draft survive another page and a reload", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/chat?model=gpt-5.6-sol");
  await expect(page.getByRole("textbox", { name: /GPT-5.6 Sol/ })).toBeVisible();
  await composer(page).fill("What is this?");
  await drop(page, "#main", "a.png", { base64: PIXEL, type: "image/png" });
  await expect(attached(page)).toHaveCount(1);
  await page.getByRole("link", { name: "Marketplace", exact: true }).click();
  await page.goBack();
  await expect(attached(page)).toHaveCount(1);
  await page.reload();
  await expect(attached(page)).toHaveCount(1);
  await expect(composer(page)).toHaveValue("What is this?");
});

test("a file says what reading it costs before it is sent; a question to several models is kept as a draft is", async ({
  page,
  request,
}) => {
  await signedIn(page, request);
  await page.goto("/chat?model=gpt-5.6-sol");
  await expect(page.getByRole("textbox", { name: /GPT-5.6 Sol/ })).toBeVisible();
  const words = Buffer.from("some words\n".repeat(100)).toString("base64");
  await drop(page, "#main", "notes.txt", { base64: words, type: "text/plain" });
  await expect(page.getByText(/^100 lines, about 275 tokens, \$0\.00\d+$/)).toBeVisible();
  await page.goto("/compare?models=gpt-5.6-sol,smollm2-135m");
  const question = page.getByRole("textbox", { name: "Question to all" });
  await question.fill("Which of you is better?");
  await page.getByRole("link", { name: "Marketplace", exact: true }).click();
  await page.goBack();
  await expect(question).toHaveValue("Which of you is better?");
  await page.reload();
  await expect(question).toHaveValue("Which of you is better?");
});

test("a question that is being rewritten survives another page, Escape and a reload", async ({ page, request }) => {
  await signedIn(page, request);
  await shortAnswers(page);
  await page.goto("/chat?model=smollm2-135m");
  await ask(page, "Hello?");
  await answered(page);
  await expect(page).toHaveTitle(/^Hello\?/);
  const box = page.getByRole("textbox", { name: "Edit message" });
  await page.getByRole("button", { name: "Edit message" }).click();
  await box.fill("A much better question");
  await page.getByRole("link", { name: "Marketplace", exact: true }).click();
  await page.goBack();
  await expect(box).toHaveValue("A much better question");
  await box.press("Escape");
  await page.reload();
  await expect(box).toHaveValue("A much better question");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Edit message" }).click();
  await expect(box).toHaveValue("Hello?");
});

test("a browser that has no room left asks before it lets a draft go", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/chat");
  await page.evaluate(() => {
    for (let size = 1 << 20, n = 0; size > 0; ) {
      try {
        localStorage.setItem(`full-${n++}`, "x".repeat(size));
      } catch {
        size >>= 1;
      }
    }
  });
  await composer(page).fill("a draft");
  await page.getByRole("link", { name: "Marketplace", exact: true }).click();
  await page.goBack();
  await expect(composer(page)).toHaveValue("a draft");
  const asked = page.waitForEvent("dialog");
  await page.evaluate(() => void setTimeout(() => location.reload()));
  const question = await asked;
  expect(question.type()).toBe("beforeunload");
  await question.dismiss();
  await expect(composer(page)).toHaveValue("a draft");
});

test("a page that cannot be fetched without a line says so, comes by itself, and costs nothing that was written", async ({
  page,
  context,
  request,
}) => {
  await signedIn(page, request);
  await page.goto("/chat");
  await composer(page).fill("a draft");
  await context.setOffline(true);
  await page.getByRole("link", { name: "Compare answers" }).click();
  await expect(page.getByText("This page has not come yet")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Go back" }).click();
  await expect(composer(page)).toHaveValue("a draft");
  await page.getByRole("link", { name: "Compare answers" }).click();
  await expect(page.getByText("This page has not come yet")).toBeVisible();
  await context.setOffline(false);
  await expect(page.getByRole("textbox", { name: "Question to all" })).toBeVisible();
});

test("a long text in a dialog does not go with Escape or a click beside it", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/chat");
  const open = async () => {
    await page.getByRole("button", { name: "More actions" }).click();
    await page.getByRole("menuitem", { name: "Instructions…" }).click();
  };
  await open();
  const dialog = page.getByRole("dialog", { name: "Instructions for this chat" });
  const field = dialog.getByLabel("Every answer follows these");
  await field.fill("Ten minutes of writing");
  await page.keyboard.press("Escape");
  await expect(dialog.getByText("What you wrote is not saved.")).toBeVisible();
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Keep writing" }).click();
  await expect(field).toBeFocused();
  await expect(field).toHaveValue("Ten minutes of writing");
  await page.mouse.click(5, 5);
  await dialog.getByRole("button", { name: "Discard it" }).click();
  await expect(dialog).toBeHidden();
  await open();
  await field.fill("Saved");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
});

test("a folder that is dropped is refused in words, and costs no file that came with it", async ({ page }) => {
  await page.goto("/?pane=editor");
  await expect(page.locator(".cm-content")).toBeVisible();
  await drop(page, 'form[aria-label="Message"]', "my-folder", { folder: true });
  await expect(page.getByText("my-folder could not be read. If it is a folder, drop the files in it.")).toBeVisible();
  await expect(page.getByText("Reading my-folder…")).toHaveCount(0);
  await drop(page, "[data-testid=code-editor]", "other-folder", { folder: true });
  await expect(page.getByText(/^other-folder could not be read/)).toBeVisible();
});

test("the editor's keys that people bring along: replace, rename, definition", async ({ page }) => {
  await page.goto("/?pane=editor");
  const text = page.locator(".cm-content");
  await text.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("greet");
  await page.keyboard.press("F12");
  await expect(page.getByText(/^Ln 12, Col/)).toBeVisible();
  await page.keyboard.press("Control+h");
  await expect(page.locator("input[name=replace]")).toBeFocused();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await text.click();
  await page.keyboard.press("F2");
  const dialog = page.getByRole("dialog", { name: "Rename the file" });
  await expect(dialog.getByLabel("Name")).toBeFocused();
  await dialog.getByLabel("Name").fill(`${"long-".repeat(40)}name.ts`);
  await expectAccessible(page);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tab", { name: /name\.ts/ })).toBeVisible();
  await expect(page.getByText("typescript", { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "Close this file" })).toBeInViewport();
});

test("a model opens in a new tab by a middle or Ctrl click, and this page stays as it is", async ({ page, context }) => {
  await page.goto("/marketplace?q=claude");
  const card = page.getByRole("gridcell").first();
  for (const how of [{ button: "middle" as const }, { modifiers: ["ControlOrMeta" as const] }]) {
    const opened = context.waitForEvent("page");
    await card.getByRole("heading").click(how);
    await expect(await opened).toHaveURL(/\/marketplace\?view=claude/);
  }
  await expect(page).toHaveURL(/\/marketplace\?q=claude$/);
});

test("what is chosen can be told without colours", async ({ page }) => {
  await page.emulateMedia({ forcedColors: "active" });
  await page.goto("/marketplace");
  const background = (name: string) =>
    page
      .getByRole("navigation", { name: "Pages" })
      .getByRole("link", { name, exact: true })
      .evaluate((link) => getComputedStyle(link).backgroundColor);
  expect(await background("Marketplace")).not.toBe(await background("Account"));
});
