import { test as base, expect, type Page } from "@playwright/test";
import axe, { type RunOnly } from "axe-core";

const themes = ["dark", "light", "hc-dark", "hc-light"] as const;

interface Fixtures {
  /** Fails the test if the page threw, or if the content security policy had to stop anything. */
  clean: undefined;
}

export const test = base.extend<Fixtures>({
  clean: [
    async ({ page }, use) => {
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(`threw: ${error.message}`));
      page.on("console", (message) => {
        // Mermaid has a browser decode what a model wrote: the handlers in it are stopped in the frame that is made for it.
        if (
          /\/diagram\.html$|\/assets\/(mermaid|diagram-frame)-/.test(message.location().url) &&
          /inline event handler/.test(message.text())
        )
          return;
        if (/content security policy/i.test(message.text())) problems.push(message.text());
      });
      await use(undefined);
      expect(problems).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** No violation of WCAG 2.2 A and AA on what is on the screen now. */
export function expectAccessible(page: Page): Promise<void> {
  return expectNoViolation(page, { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
}

/** The same in all four themes. They differ in colours only, so all rules are checked once and those of colour in each theme. */
export async function expectAccessibleInEveryTheme(page: Page): Promise<void> {
  await expectAccessible(page);
  const root = page.locator("html");
  const before = await root.getAttribute("data-theme");
  for (const theme of themes.filter((name) => name !== before)) {
    await root.evaluate((element, name) => Object.assign(element.dataset, { theme: name }), theme);
    await expectNoViolation(page, { type: "rule", values: ["color-contrast", "link-in-text-block"] });
  }
  await root.evaluate((element, name) => Object.assign(element.dataset, { theme: name }), before);
}

/**
 * In the page itself: axe's builder for Playwright opens another page for each look, which takes longer than the look. Of the
 * catalogue's cards, all alike, two rows are looked at; a diagram's frame shows nothing (its drawing is a picture in the page).
 */
async function expectNoViolation(page: Page, runOnly: RunOnly): Promise<void> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const found = await page.evaluate(async (only) => {
    const here = (window as unknown as { axe: typeof axe }).axe;
    const { violations } = await here.run(
      { exclude: [['[role="row"]:nth-child(n+3)']] },
      { runOnly: only, iframes: false, resultTypes: ["violations"] },
    );
    return violations.map(({ id, nodes }) => ({
      id,
      where: nodes.slice(0, 3).map(({ target, failureSummary }) => `${target.join(" ")} — ${failureSummary}`),
    }));
  }, runOnly);
  expect(found).toEqual([]);
}

/** Nothing sticks out sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBe(0);
}

export const models = "**/api/v1/marketplace/models?*";

export function isPhone(page: Page): boolean {
  return (page.viewportSize()?.width ?? 0) < 768;
}
