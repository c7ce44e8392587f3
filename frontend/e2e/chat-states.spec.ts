import type { Page, Route } from "@playwright/test";
import { ask, composer, signedIn } from "./chat-support";
import { expect, expectAccessible, expectAccessibleInEveryTheme, expectNoSidewaysScroll, test } from "./fixtures";

const CHAT = "**/api/v1/agents/chat";

const refuse =
  (status: number, body: object, headers: Record<string, string> = {}) =>
  (route: Route) =>
    route.fulfill({ status, headers, contentType: "application/json", body: JSON.stringify({ success: false, ...body }) });

const stream =
  (...events: ({ type: string } & Record<string, unknown>)[]) =>
  (route: Route) =>
    route.fulfill({
      contentType: "text/event-stream",
      body: events
        .map((event, index) => `id: ${index + 1}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
        .join(""),
    });

const start = {
  type: "start",
  request_id: "gen_1",
  run_id: "run_1",
  model: "smollm2-135m",
  provider: "local",
  conversation_id: "conv_1",
};
const done = { type: "done", success: true, cost: 0.0012, balance_remaining: 4.99, finish_reason: "stop" };
const MARKDOWN = `## A heading

A paragraph with **bold**, \`code\` and [a link](https://example.com/x).

> A quotation

- [x] one
- [ ] two

| Column | Number |
| --- | --- |
| a | 1 |

\`\`\`python
def add(a: int, b: int) -> int:
    """Adds."""  # a comment
    return a + b + 10
\`\`\`
`;

/** Every state a question can end in: what the server does, and what the page then says. */
const states: Record<string, { serve: (route: Route) => Promise<void>; says: string | RegExp }> = {
  answer: {
    serve: stream(
      start,
      { type: "delta", delta: MARKDOWN },
      { ...done, result: MARKDOWN, usage: { input_tokens: 9, output_tokens: 90 } },
    ),
    says: "$0.0012",
  },
  fallback: {
    serve: stream(
      { type: "fallback", from: "gpt4", to: "smollm2-135m", reason: "provider_unavailable" },
      start,
      { type: "delta", delta: "Here." },
      done,
    ),
    says: "answered instead (provider unavailable)",
  },
  cut: {
    serve: stream(
      start,
      { type: "delta", delta: "Half of" },
      { type: "error", error: "The provider closed the stream.", code: "provider_unavailable", cost: 0.0004, partial: true },
    ),
    says: "You were charged $0.0004 for what came",
  },
  payment: {
    serve: refuse(402, {
      error: "Insufficient balance",
      code: "payment_required",
      required: 7.5,
      available: 5,
      max_affordable_tokens: 900,
      free_alternative: "smollm2-135m",
    }),
    says: "This answer needs up to $7.50; you have $5.00",
  },
  forbidden: {
    serve: refuse(403, { error: "Needs another plan", code: "permission_denied", required_tier: "pro" }),
    says: "It needs the pro plan",
  },
  gone: {
    serve: refuse(404, { error: "Model not found", code: "model_not_found", nearest: ["smollm2-135m"] }),
    says: "is no longer offered",
  },
  limited: {
    serve: refuse(429, { error: "Slow down", code: "rate_limit_exceeded" }, { "Retry-After": "30" }),
    says: /Asking again by itself in \d+ s/,
  },
  provider: {
    serve: refuse(502, { error: "openai did not answer.", code: "provider_unavailable" }),
    says: "is not answering",
  },
  offline: { serve: (route) => route.abort("internetdisconnected"), says: "The server could not be reached" },
};

async function reach(page: Page, name: string): Promise<void> {
  const state = states[name];
  if (!state) throw new Error(name);
  await page.route(CHAT, state.serve);
  await page.goto("/chat");
  await ask(page, "A question");
  await expect(page.getByText(state.says).first()).toBeVisible();
}

for (const name of Object.keys(states)) {
  test(`state ${name} says what is the matter and is accessible`, async ({ page, request }, info) => {
    await signedIn(page, request);
    await reach(page, name);
    await page.screenshot({ path: info.outputPath(`${name}.png`) });
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  });
}

test("an answer, the history and the picker are accessible in every theme", async ({ page, request }) => {
  await signedIn(page, request);
  await reach(page, "answer");
  await expect(page.locator("pre code span[style]").first()).toBeVisible();
  await expectAccessibleInEveryTheme(page);
  await page.getByTitle("Change the model").click();
  await expect(page.getByRole("option").nth(2)).toBeVisible();
  await expectAccessibleInEveryTheme(page);
});

test("a 402 is left with one click, with the same question", async ({ page, request }) => {
  await signedIn(page, request);
  await reach(page, "payment");
  await page.unroute(CHAT);
  await page.getByRole("button", { name: /^Ask smollm2-135m for free/ }).click();
  await expect(page.getByRole("article", { name: /^Answer by/ })).toContainText("· This computer", { timeout: 60_000 });
  await expect(page.getByRole("article", { name: "Your message" })).toHaveCount(1);
});

test("an expired session asks for the password over the page and sends the question after it", async ({ page, request }) => {
  const { email } = await signedIn(page, request);
  let turn = 0;
  await page.route(CHAT, (route) => {
    turn += 1;
    return turn === 1 ? refuse(401, { error: "Invalid or expired token", code: "invalid_token" })(route) : route.fallback();
  });
  await page.goto("/chat");
  await ask(page, "Say hi.");
  const dialog = page.getByRole("dialog", { name: "Sign in" });
  await expect(dialog).toContainText("your drafts are as you left them");
  await expectAccessible(page);
  await dialog.getByLabel("Email").fill(email);
  await dialog.getByRole("textbox", { name: "Password", exact: true }).fill("correct horse battery staple");
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("article", { name: /^Answer by/ })).toContainText("· This computer", { timeout: 60_000 });
});

test("closing that dialog gives the question back", async ({ page, request }) => {
  await signedIn(page, request);
  await page.route(CHAT, refuse(401, { error: "Invalid or expired token", code: "invalid_token" }));
  await page.goto("/chat");
  await ask(page, "precious words");
  await expect(page.getByRole("dialog", { name: "Sign in" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(composer(page)).toHaveValue("precious words");
});

test("an empty chat and a phone's width are accessible", { tag: "@phone" }, async ({ page }) => {
  await page.goto("/chat");
  await expect(page.getByText("Ask anything")).toBeVisible();
  await expectAccessible(page);
  await page.setViewportSize({ width: 320, height: 640 });
  await expect(page.getByRole("navigation", { name: "Chat history" })).toHaveCount(0);
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
});
