import type { Page } from "@playwright/test";
import { FIRST_LOAD, measureFirstLoad } from "../scripts/first-load";
import { PASSWORD } from "./chat-support";
import {
  expect,
  expectAccessible,
  expectAccessibleInEveryTheme,
  expectNoSidewaysScroll,
  isPhone,
  models,
  test,
} from "./fixtures";

const card = (page: Page, index: number) => page.locator(`[data-index="${index}"]`);

test.describe("the marketplace", () => {
  test("shows every model, and only the visible ones are in the document", { tag: "@phone" }, async ({ page }) => {
    await page.goto("/marketplace");
    await expect(page.getByText(/^\d{3,} models$/)).toBeVisible();
    const cells = await page.getByRole("gridcell").count();
    expect(cells).toBeGreaterThan(2);
    expect(cells).toBeLessThan(80);
    await expectNoSidewaysScroll(page);
  });

  test("finds by text as one types, and keeps text and filters in the address", async ({ page }) => {
    await page.goto("/marketplace");
    await page.getByRole("textbox", { name: /search models/i }).fill("claude opus");
    await expect(page.getByRole("gridcell").first()).toContainText(/claude opus/i);
    await page.getByRole("button", { name: /^premium/i }).click();
    await expect(page).toHaveURL(/q=claude/);
    await expect(page).toHaveURL(/tier=premium/);
    await page.reload();
    await expect(page.getByRole("textbox", { name: /search models/i })).toHaveValue("claude opus");
    await expect(page.getByRole("button", { name: /^premium/i })).toHaveAttribute("aria-pressed", "true");
  });

  test("a facet's count is what a click shows", { tag: "@phone" }, async ({ page }) => {
    await page.goto("/marketplace");
    if (isPhone(page)) await page.getByRole("button", { name: /filters/i }).click();
    const facets = isPhone(page) ? page.getByRole("dialog") : page.getByRole("complementary", { name: "Filters" });
    const facet = facets.locator("label").filter({ hasText: /^vision/ });
    const promised = (await facet.locator("span").last().textContent()) ?? "";
    await facet.click();
    if (isPhone(page)) await expect(page.getByRole("button", { name: `Show ${promised} models` })).toBeVisible();
    else await expect(page.getByText(`${promised} of`)).toBeVisible();
  });

  test("is worked by keyboard alone: search, cards, star, compare, page, back", async ({ page }) => {
    await page.goto("/marketplace");
    await expect(page.getByRole("gridcell").first()).toBeVisible();
    await page.keyboard.press("/");
    await expect(page.getByRole("textbox", { name: /search models/i })).toBeFocused();
    await page.keyboard.press("ArrowDown");
    await expect(card(page, 0)).toBeFocused();
    await page.keyboard.press("x");
    await page.keyboard.press("ArrowRight");
    await expect(card(page, 1)).toBeFocused();
    await page.keyboard.press("x");
    await page.keyboard.press("s");
    await expect(
      page
        .getByRole("gridcell")
        .nth(1)
        .getByRole("button", { name: /from favourites/ }),
    ).toHaveAttribute("aria-pressed", "true");
    await page.keyboard.press("Space");
    await expect(page.getByRole("dialog")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toBeHidden();
    await page
      .getByRole("region", { name: /chosen for comparison/i })
      .getByRole("button", { name: /^compare$/i })
      .press("Enter");
    await expect(page.getByRole("dialog", { name: "Compare 2 models" })).toBeVisible();
    await expect(page.getByRole("dialog").getByRole("columnheader")).toHaveCount(2);
    await expectAccessible(page);
  });

  test("the last card is reached by key, so no model hides from a keyboard", async ({ page }) => {
    await page.goto("/marketplace?sort=name");
    await card(page, 0).focus();
    await page.keyboard.press("End");
    const rows = await page.getByRole("grid").getAttribute("aria-rowcount");
    await expect(page.locator(`[role="row"][aria-rowindex="${rows}"] [data-index]:focus`)).toBeVisible();
  });

  test("a model's page tells price, offers with source and date, and capabilities", async ({ page }) => {
    await page.goto("/marketplace");
    await page.getByRole("textbox", { name: /search models/i }).fill("gpt-5");
    await page
      .getByRole("gridcell")
      .first()
      .click({ position: { x: 20, y: 40 } });
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByRole("region", { name: "Prices" })).toBeVisible();
    await expect(dialog.getByRole("heading", { name: /^Offers \(\d+\)/ })).toBeVisible();
    await expectAccessible(page);
    await page.goBack();
    await expect(dialog).toBeHidden();
  });

  test("a model that is gone names the nearest ones", async ({ page }) => {
    await page.goto("/marketplace?view=gpt-5-nanoo");
    await expect(page.getByRole("dialog").getByRole("alert")).toContainText("There is no model");
    await expectAccessible(page);
  });

  test("a newcomer waits for 200 kB at most, and for no editor", async ({ page }) => {
    const { total, requests } = await measureFirstLoad(page, "/");
    expect(requests.length).toBeGreaterThan(5);
    expect(total, JSON.stringify(requests)).toBeLessThanOrEqual(FIRST_LOAD);
    await expect(page.getByText(/^\d{3,} models$/)).toBeVisible();
    await expect(page.locator(".cm-content")).toHaveCount(0);
    await expectAccessibleInEveryTheme(page);
  });

  test("Q Assistant lets a newcomer sign up, then answers with reasons, a price and one click", { tag: "@phone" }, async ({
    page,
  }) => {
    await page.goto("/");
    await page.getByRole("button", { name: "Find out why my asyncio test hangs" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog).toContainText("$5 of play credit");
    const form = dialog.getByRole("tabpanel", { name: "Sign up" });
    await form.getByLabel("Email").fill(`new-${crypto.randomUUID()}@example.com`);
    await form.getByRole("textbox", { name: "Password", exact: true }).fill(PASSWORD);
    await form.getByLabel("Confirm password").fill(PASSWORD);
    await form.getByRole("button", { name: "Sign up" }).click();
    await expect(dialog).toBeHidden();
    const picks = page.getByRole("region", { name: "Recommended for you" });
    await expect(picks.getByRole("button", { name: /^Try / }).first()).toBeVisible();
    await expect(picks.getByText(/About \$/).first()).toBeVisible();
    await expectAccessible(page);
    await picks.getByRole("button", { name: /^Try / }).first().click();
    await expect(page.getByRole("region", { name: "Chat" }).getByRole("textbox").first()).toHaveValue(/asyncio test hangs/);
    await expect(page).toHaveURL(/model=/);
  });
});

test.describe("states of the marketplace", () => {
  test("loading: cards of the real size, and nothing moves when they come", { tag: "@phone" }, async ({ page }) => {
    await page.addInitScript(() => {
      const shifts: number[] = [];
      Object.assign(window, { shifts });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value);
      }).observe({ type: "layout-shift", buffered: true });
    });
    let release: () => void = () => {};
    const held = new Promise<void>((done) => {
      release = done;
    });
    await page.route(models, async (route) => {
      await held;
      await route.continue();
    });
    await page.goto("/marketplace");
    await expect(page.getByText("Loading models…")).toBeAttached();
    await expectAccessible(page);
    release();
    await expect(page.getByRole("gridcell").first()).toBeVisible();
    const shift = await page.evaluate(() =>
      (window as unknown as { shifts: number[] }).shifts.reduce((sum, one) => sum + one, 0),
    );
    // Half of what counts as good on the web (0.1): 0.03 on a phone, next to nothing on a desk.
    expect(shift).toBeLessThan(0.05);
  });

  test("nothing found: says why and how to go on", { tag: "@phone" }, async ({ page }) => {
    await page.goto("/marketplace?q=zzzzqqqq&tier=free");
    await expect(page.getByText("No model matches")).toBeVisible();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Remove the filter" }).click();
    await page.getByRole("button", { name: "Clear the search" }).last().click();
    await expect(page.getByRole("gridcell").first()).toBeVisible();
  });

  test("server down: words, request id, and a way to try again that works", async ({ page }) => {
    let broken = true;
    await page.route(models, (route) =>
      broken
        ? route.fulfill({
            status: 503,
            json: { success: false, error: "Draining", code: "temporarily_unavailable", request_id: "req_down" },
          })
        : route.continue(),
    );
    await page.goto("/marketplace");
    const alert = page.getByRole("alert");
    await expect(alert).toContainText("The server is busy or restarting");
    await expect(alert).toContainText("req_down");
    await expectAccessible(page);
    broken = false;
    await alert.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByRole("gridcell").first()).toBeVisible();
  });

  test("too many requests: counts down and tries by itself", async ({ page }) => {
    let refusals = 1;
    await page.route(models, (route) =>
      refusals-- > 0
        ? route.fulfill({
            status: 429,
            headers: { "Retry-After": "5" },
            json: { success: false, error: "Slow down", code: "rate_limit_exceeded", request_id: "req_429" },
          })
        : route.continue(),
    );
    await page.goto("/marketplace");
    await expect(page.getByRole("button", { name: /by itself in \d+ s/ })).toBeVisible();
    await expect(page.getByRole("gridcell").first()).toBeVisible();
  });

  test("offline: a banner, and the cards stay usable", async ({ page, context }) => {
    await page.goto("/marketplace");
    await expect(page.getByRole("gridcell").first()).toBeVisible();
    await context.setOffline(true);
    await expect(page.getByText(/You are offline/).first()).toBeVisible();
    await page.getByRole("textbox", { name: /search models/i }).fill("claude");
    await expect(page.getByRole("gridcell").first()).toContainText(/claude/i);
    await expectAccessible(page);
  });
});
