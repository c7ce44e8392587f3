import type { APIRequestContext } from "@playwright/test";
import { signedIn } from "./chat-support";
import { expect, expectAccessibleInEveryTheme, expectNoSidewaysScroll, test } from "./fixtures";

const call = async (request: APIRequestContext, token: string): Promise<void> => {
  const reply = await request.post("/api/v1/agents/completion", {
    headers: { Authorization: `Bearer ${token}` },
    data: { model: "smollm2-135m", prompt: "Say hi.", max_tokens: 4 },
    timeout: 60_000,
  });
  expect(reply.ok(), await reply.text()).toBe(true);
};

test("usage says its figures, drills down with its filters to the calls, and from there to the receipt", async ({
  page,
  request,
}) => {
  const { token } = await signedIn(page, request);
  await call(request, token);
  await call(request, token);
  await page.goto("/account");
  await page.getByRole("link", { name: "Usage in charts" }).click();
  await expect(page.getByRole("heading", { name: "Usage" })).toBeVisible();
  const calls = page.locator("dl > div", { hasText: "Calls" });
  await expect(calls).toContainText("2");
  await page.getByLabel("Measure").selectOption("Calls");
  const chart = page.getByRole("figure", { name: "Calls by day" });
  await expect(chart).toHaveAccessibleDescription(/^2.*most on/);
  const cursor = chart.getByRole("slider");
  await cursor.focus();
  await page.keyboard.press("End");
  await expect(cursor).toHaveAttribute("aria-valuetext", /: 2/);
  await page.keyboard.press("ArrowLeft");
  await expect(cursor).toHaveAttribute("aria-valuetext", /: 0/);
  await chart.getByRole("button", { name: "Calls by day as a table" }).click();
  await expect(chart.getByRole("table").getByRole("row").last()).toContainText("2");
  await expect(page.getByRole("figure", { name: "When calls are made" })).toBeVisible();
  await expectAccessibleInEveryTheme(page);
  await expectNoSidewaysScroll(page);

  await page.getByLabel("Model: add a filter").selectOption("smollm2-135m");
  const chip = page.getByRole("button", { name: /^Remove filter Model/ });
  await expect(chip).toBeVisible();
  await page.getByRole("link", { name: "The calls behind it" }).click();
  await expect(page.getByRole("heading", { name: "Activity" })).toBeVisible();
  await expect(chip).toBeVisible();
  const rows = page.getByRole("region", { name: "Calls" }).locator("tbody tr");
  await expect(rows).toHaveCount(2);
  await expectAccessibleInEveryTheme(page);
  await page
    .getByRole("link", { name: /^Receipt of/ })
    .first()
    .click();
  await expect(page.getByRole("dialog", { name: "What happened" })).toBeVisible();
});

test("the list stands still while calls come, shows what waits, and its export is the list", async ({ page, request }) => {
  const { token } = await signedIn(page, request);
  await call(request, token);
  await page.route(/\/marketplace\/activity\?/, async (route) => {
    const reply = await route.fetch();
    const body = await reply.json();
    const since = new Date(Date.now() - 65_000).toISOString();
    const running = { request_id: "gen_x", model: "smollm2-135m", provider: "local", key_id: null, since, held: 0.5 };
    await route.fulfill({ response: reply, json: { ...body, in_flight: [running] } });
  });
  await page.goto("/activity");
  const rows = page.getByRole("region", { name: "Calls" }).locator("tbody tr");
  await expect(rows).toHaveCount(1);
  await expect(page.getByRole("region", { name: "In flight" })).toContainText(/1 min \d\d s/);
  await call(request, token);
  const show = page.getByRole("button", { name: "Show 1 new" });
  await expect(show).toBeVisible();
  await expect(rows).toHaveCount(1);
  await show.click();
  await expect(rows).toHaveCount(2);
  await expect(show).toBeHidden();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Export as CSV" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("activity.csv");
});
