import { expect, expectAccessible, expectNoSidewaysScroll, isPhone, test } from "./fixtures";

test.describe("the workbench", () => {
  test("a selection becomes a question in the chat", async ({ page }) => {
    await page.goto("/?pane=editor");
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+a");
    await page.getByRole("button", { name: "Ask about the selection" }).click();
    await expect(page.getByRole("region", { name: "Chat" }).getByRole("textbox").first()).toHaveValue(
      /From `scratch.py`, lines 1–\d+:[\s\S]*```python/,
    );
  });

  test("what is typed survives a reload", async ({ page }) => {
    await page.goto("/?pane=editor");
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("kept = 42");
    await expect.poll(() => page.evaluate(() => localStorage.getItem("marketplace.workbench"))).toContain("kept = 42");
    await page.reload();
    await expect(page.locator(".cm-content")).toContainText("kept = 42");
  });

  test("Tab leaves the editor: no keyboard trap", async ({ page }) => {
    test.skip(isPhone(page), "a phone has no keyboard");
    await page.goto("/");
    await page.locator(".cm-content").click();
    await page.keyboard.press("Tab");
    await expect(page.locator(".cm-content")).not.toBeFocused();
  });

  test("a splitter is moved by key and stays where it was put", async ({ page }) => {
    test.skip(isPhone(page), "a phone shows one pane");
    await page.goto("/");
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
    test.skip(isPhone(page), "a phone has no keyboard");
    await page.goto("/");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("theme light");
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
