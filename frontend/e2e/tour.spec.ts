import type { Page } from "@playwright/test";
import { answered, ask, shortAnswers, signedIn } from "./chat-support";
import { expect, expectAccessible, expectAccessibleInEveryTheme, expectNoSidewaysScroll, test } from "./fixtures";

test.setTimeout(90_000);

const STEPS = 8;
const tour = (page: Page) => page.getByRole("region", { name: /^Guided tour, step \d of 8$/ });
const step = (page: Page, number: number) => page.getByRole("region", { name: `Guided tour, step ${number} of ${STEPS}` });

/** The popover is on the screen and leaves its anchor free. */
async function expectBeside(page: Page, anchor: string): Promise<void> {
  const target = page.locator(anchor).locator("visible=true").last();
  await expect(target).toBeInViewport();
  await expect
    .poll(async () => {
      const [one, other] = await Promise.all([tour(page).boundingBox(), target.boundingBox()]);
      const view = page.viewportSize();
      if (!one || !other || !view) return "missing";
      if (one.x < 0 || one.y < 0 || one.x + one.width > view.width || one.y + one.height > view.height)
        return "off the screen";
      const apart =
        one.x >= other.x + other.width ||
        other.x >= one.x + one.width ||
        one.y >= other.y + other.height ||
        other.y >= one.y + one.height;
      return apart ? "beside" : "covers it";
    })
    .toBe("beside");
}

test(
  "leads through the whole story beside the real elements, each step accessible",
  { tag: "@phone" },
  async ({ page, request }, info) => {
    await signedIn(page, request);
    await shortAnswers(page);
    await page.goto("/chat");
    await ask(page, "Say hi.");
    await answered(page);
    await page.goto("/?tour=1");
    await expect(page).not.toHaveURL(/tour=/);
    await expect(tour(page)).toBeFocused();
    const anchors = [
      '[data-tour="search"]',
      '[data-tour="assistant"]',
      '[data-cell="0"]',
      '[data-cell="0"] [data-tour="compare"]',
      'form[aria-label="Message"]',
      '[data-tour="receipt"]',
      '[data-tour="statement"]',
      '[data-tour="connect"]',
    ];
    for (const [index, anchor] of anchors.entries()) {
      await expect(step(page, index + 1)).toBeVisible();
      await expectBeside(page, anchor);
      await page.screenshot({ path: info.outputPath(`step-${index + 1}.png`) });
      // The popover is the same at each step: its colours are looked at once.
      await (index === 0 ? expectAccessibleInEveryTheme(page) : expectAccessible(page));
      await expectNoSidewaysScroll(page);
      await page.getByRole("button", { name: index + 1 < STEPS ? "Next" : "Done", exact: true }).click();
    }
    await expect(tour(page)).toBeHidden();
    expect(await page.evaluate(() => localStorage.getItem("marketplace.tour"))).toBe("finished");
  },
);

test("is worked by keys, left by Escape, and goes on where it was left", async ({ page }) => {
  await page.goto("/?tour=1");
  await expect(step(page, 1)).toBeFocused({ timeout: 30_000 });
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(step(page, 3)).toBeVisible();
  await page.keyboard.press("ArrowLeft");
  await expect(step(page, 2)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(tour(page)).toBeHidden();
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Type a model's name or a command").fill("tour");
  await page.getByRole("option", { name: "Start the tour" }).click();
  await expect(step(page, 2)).toBeVisible();
});

test("leaves the page usable: arrows move in a text field, not in the tour", async ({ page }) => {
  await page.goto("/?tour=1");
  await expect(step(page, 1)).toBeVisible();
  const search = page.getByRole("textbox", { name: /search models/i });
  await search.fill("claude");
  await search.press("ArrowLeft");
  await expect(page.getByRole("gridcell").first()).toContainText(/claude/i);
  await expect(step(page, 1)).toBeVisible();
});

test("does not come uninvited", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("gridcell").first()).toBeVisible();
  await expect(tour(page)).toHaveCount(0);
});

test("a used sign-in code leads to the sign-in dialog and leaves the address", async ({ page }) => {
  await page.goto("/#code=not-a-code-of-this-server");
  await expect(page.getByRole("dialog", { name: "Sign in" })).toBeVisible();
  expect(new URL(page.url()).hash).toBe("");
});
