import { type APIRequestContext, expect as base, type Page } from "@playwright/test";
import { newAccount } from "./chat-support";
import { expect, expectAccessibleInEveryTheme, expectNoSidewaysScroll, test } from "./fixtures";

/** Opens a chat, brought along from elsewhere, whose only answer is `answer`. */
async function openAnswer(page: Page, request: APIRequestContext, answer: string): Promise<void> {
  const { token } = await newAccount(request);
  const said = (role: string, words: string) => ({ author: { role }, content: { content_type: "text", parts: [words] } });
  const mapping = {
    a: { parent: null, message: said("user", "Draw it") },
    b: { parent: "a", message: said("assistant", answer) },
  };
  const headers = { Authorization: `Bearer ${token}` };
  const data = [{ title: "Drawn", create_time: 1_700_000_000, current_node: "b", mapping }];
  base((await request.post("/api/v1/agents/import", { headers, data })).ok()).toBe(true);
  await page.goto("/connect");
  // Not by a script for every frame: the one that draws has no storage.
  await page.evaluate((given) => localStorage.setItem("token", given), token);
  await page.goto("/chat");
  await page
    .getByRole("navigation", { name: "Chat history" })
    .getByRole("link", { name: /^Drawn/ })
    .click();
}

const fence = (code: string) => `\`\`\`mermaid\n${code}\n\`\`\`\n`;

test("a diagram is drawn without an outside request, and one that is broken shows its source and why", async ({
  page,
  request,
}) => {
  const outside: string[] = [];
  page.on("request", (sent) => {
    if (!/^(http:\/\/127\.0\.0\.1:|data:|blob:)/.test(sent.url())) outside.push(sent.url());
  });
  const good = 'flowchart TD\n  A["Start <b>bold</b>"] --> B{Is it?}\n  B -->|Yes| C[OK]\n  B -->|No| D[End]';
  const hostile =
    'flowchart LR\n  X["<img src=https://evil.example/x.png onerror=window.__x=1>"] --> Y\n  click Y "javascript:window.__x=2" "tip"\n  click X href "https://evil.example"';
  const broken = "flowchart TD\n  A[unclosed --> B";
  const steps = "sequenceDiagram\n  accTitle: Who asks whom\n  Ada->>Bob: Hello\n  Bob-->>Ada: Hi";
  await openAnswer(page, request, [good, hostile, broken, steps].map(fence).join("\nand\n\n"));
  const drawn = page.getByRole("article").getByRole("img", { name: /^Diagram: / });
  await expect(drawn).toHaveCount(3, { timeout: 30_000 });
  await expect(page.getByRole("img", { name: "Diagram: Who asks whom" })).toBeVisible();
  for (const image of await drawn.all()) {
    const { width, height } = await image.evaluate(({ naturalWidth: width, naturalHeight: height }: HTMLImageElement) => ({
      width,
      height,
    }));
    expect(Math.min(width, height)).toBeGreaterThan(40);
  }
  await expect(page.getByText(/^Not drawn: Parse error/)).toBeVisible();
  await expect(page.getByRole("figure").getByText("A[unclosed --> B").last()).toBeVisible();
  expect(outside).toEqual([]);
  expect(await page.evaluate(() => (window as { __x?: number }).__x)).toBeUndefined();
  await expectAccessibleInEveryTheme(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("button", { name: "Source", exact: true }).first().click();
  await expect(page.getByText('A["Start <b>bold</b>"]')).toBeVisible();
  await page.getByRole("button", { name: "Diagram", exact: true }).click();
  await expect(drawn).toHaveCount(3);
});

test("the frame that draws has no origin, no storage and no network", async ({ page }) => {
  const answer = await page.goto("/diagram.html");
  expect(answer?.headers()["content-security-policy"]).toMatch(/^default-src 'none'; .*sandbox allow-scripts;/);
  expect(await page.evaluate(() => window.origin)).toBe("null");
});
