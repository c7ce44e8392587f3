import type { Page } from "@playwright/test";
import { ask, signedIn } from "./chat-support";
import { expect, expectAccessible, expectAccessibleInEveryTheme, expectNoSidewaysScroll, isPhone, test } from "./fixtures";

test.describe("the workbench", () => {
  test("a selection becomes a question in the chat", { tag: "@phone" }, async ({ page }) => {
    await page.goto("/?pane=editor");
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+a");
    await page.getByRole("button", { name: "Ask about the selection" }).click();
    await expect(page.getByRole("region", { name: "Chat" }).getByRole("textbox").first()).toHaveValue(
      /From `scratch.py`, lines 1–\d+:[\s\S]*```python/,
    );
  });

  test("what is typed survives a reload", { tag: "@phone" }, async ({ page }) => {
    await page.goto("/?pane=editor");
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("kept = 42");
    await page.reload();
    await expect(page.locator(".cm-content")).toContainText("kept = 42");
  });

  test("Tab leaves the editor: no keyboard trap", async ({ page }) => {
    await page.goto("/?pane=editor");
    await page.locator(".cm-content").click();
    await page.keyboard.press("Tab");
    await expect(page.locator(".cm-content")).not.toBeFocused();
  });

  test("a splitter is moved by key and stays where it was put", async ({ page }) => {
    await page.goto("/?pane=editor");
    const splitter = page.getByRole("separator", { name: "Width of the marketplace" });
    const before = Number(await splitter.getAttribute("aria-valuenow"));
    await splitter.focus();
    await page.keyboard.press("ArrowRight");
    await expect(splitter).toHaveAttribute("aria-valuenow", String(before + 24));
    await page.reload();
    await expect(splitter).toHaveAttribute("aria-valuenow", String(before + 24));
  });

  test("files come from disk into tabs, and go by key", async ({ page }) => {
    await page.addInitScript(() => Object.assign(window, { showOpenFilePicker: undefined }));
    await page.goto("/?pane=editor");
    await expect(page.locator(".cm-content")).toBeVisible();
    const chooser = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Open files from disk" }).click();
    await (await chooser).setFiles([
      { name: "one.ts", mimeType: "text/plain", buffer: Buffer.from("export const one = 1;\n") },
      { name: "two.json", mimeType: "application/json", buffer: Buffer.from('{"two": 2}\n') },
    ]);
    await expect(page.getByRole("tab", { name: "two.json" })).toHaveAttribute("aria-selected", "true");
    await page.getByRole("tab", { name: "one.ts" }).click();
    await expect(page.locator(".cm-content")).toContainText("export const one");
    await page.keyboard.press("Delete");
    await expect(page.getByRole("tab", { name: "one.ts" })).toHaveCount(0);
    await expectAccessible(page);
  });

  test("the palette finds a model and starts a chat with it", async ({ page }) => {
    await page.goto("/");
    await expect(page.getByText(/^\d{3,} models$/)).toBeAttached();
    await page.getByRole("button", { name: /find a model or a command/i }).click();
    await expect(page.getByPlaceholder("Type a model's name or a command")).toBeFocused();
    await page.keyboard.type("smollm2");
    await expect(page.getByRole("option", { name: /smollm2/i }).first()).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/model=smollm2/);
    await expect(page.getByRole("region", { name: "Chat" })).toBeVisible();
  });

  test("the palette's commands work: theme, help", async ({ page }) => {
    await page.goto("/");
    await expect(page.getByText(/^\d{3,} models$/)).toBeAttached();
    await page.keyboard.press("Control+k");
    await expect(page.getByPlaceholder("Type a model's name or a command")).toBeFocused();
    await page.keyboard.type("theme light");
    await expect(page.getByRole("option", { name: /theme: light/i }).first()).toBeVisible();
    await page.keyboard.press("Enter");
    await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
    await page.locator("#main").focus();
    await page.keyboard.press("?");
    await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
    await expectAccessible(page);
  });

  test("reflows at 320 pixels with nothing out of reach", async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    for (const pane of ["editor", "market", "chat"]) {
      await page.goto(`/?pane=${pane}`);
      await expect(page.getByRole("navigation", { name: "Panes" })).toBeVisible();
      await expectNoSidewaysScroll(page);
    }
  });
});

test.describe("code from an answer", () => {
  const code = "def greet(name: str) -> str:\n    return f'Good day, {name}'\n";

  /** An answer with a known code block; the chat and the editor round it are real. */
  async function answerWithCode(page: Page): Promise<void> {
    const events = [
      {
        type: "start",
        request_id: "req_1",
        run_id: "run_1",
        model: "smollm2-135m",
        provider: "local",
        conversation_id: "c1",
      },
      { type: "delta", delta: `Here:\n\n\`\`\`python\n${code}\`\`\`\n` },
      {
        type: "done",
        success: true,
        result: "",
        tokens_used: 20,
        cost: 0,
        balance_remaining: 5,
        model: "smollm2-135m",
        provider: "local",
        finish_reason: "stop",
        usage: {},
        request_id: "req_1",
        conversation_id: "c1",
        message_id: "m2",
        user_message_id: "m1",
        timings: { first_token_ms: 5, total_ms: 9 },
      },
    ];
    const body = events
      .map((event, index) => `id: ${index + 1}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      .join("");
    await page.route("**/api/v1/agents/chat", (route) => route.fulfill({ contentType: "text/event-stream", body }));
  }

  test("is looked at as a diff, then taken or left", { tag: "@phone" }, async ({ page, request }) => {
    await signedIn(page, request);
    await answerWithCode(page);
    await page.goto("/?pane=editor");
    const text = page.locator(".cm-content");
    const before = await text.innerText();
    await page.goto("/?pane=chat");
    await ask(page, "Greet more formally");
    await page.getByRole("button", { name: "Diff" }).click();
    await expect(page.getByText("Proposed change.")).toBeVisible();
    await expect(page.locator(".cm-deletedChunk").first()).toBeVisible();
    await expect(text).toContainText("Good day");
    await expectAccessibleInEveryTheme(page);
    await page.getByRole("button", { name: "Reject", exact: true }).first().click();
    await expect(text).not.toContainText("Good day");
    expect(await text.innerText()).toBe(before);
    if (isPhone(page)) await page.getByRole("link", { name: "Chat", exact: true }).click();
    await page.getByRole("button", { name: "Diff" }).click();
    await page.getByRole("button", { name: "Accept all" }).click();
    await expect(page.getByText("Proposed change.")).toBeHidden();
    await expect(text).toContainText("Good day");
  });

  test("is put into the file from the chat page too, where no editor is open yet", async ({ page, request }) => {
    await signedIn(page, request);
    await answerWithCode(page);
    await page.goto("/chat");
    await ask(page, "Greet more formally");
    await page.getByRole("button", { name: "Insert at cursor" }).click();
    await expect(page.locator(".cm-content")).toContainText("Good day");
    await expect(page.locator(".cm-content")).toContainText("A scratch file");
  });

  test("is put in at the cursor", async ({ page, request }) => {
    await signedIn(page, request);
    await answerWithCode(page);
    await page.goto("/?pane=editor");
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+End");
    await ask(page, "Greet more formally");
    await page.getByRole("button", { name: "Insert at cursor" }).click();
    await expect(page.locator(".cm-content")).toContainText("Good day");
    await expect(page.locator(".cm-content")).toContainText("A scratch file");
    await expect(page.locator(".cm-content")).toBeFocused();
  });
});
