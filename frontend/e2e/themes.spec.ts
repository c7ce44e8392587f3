import { expect, expectAccessibleInEveryTheme, isPhone, test } from "./fixtures";

test("workbench, marketplace and model page hold WCAG 2.2 AA in every theme", { tag: "@phone" }, async ({ page }) => {
  for (const pane of isPhone(page) ? ["editor", "market", "chat"] : ["editor"]) {
    await page.goto(`/?pane=${pane}`);
    if (!isPhone(page) || pane === "editor") await expect(page.locator(".cm-content")).toBeVisible();
    if (!isPhone(page) || pane === "market") await expect(page.getByRole("gridcell").first()).toBeVisible();
    await expectAccessibleInEveryTheme(page);
  }
  await page.goto("/marketplace?tier=paid&compare=smollm2-135m,gpt-5.5");
  await expect(page.getByRole("gridcell").first()).toBeVisible();
  await expectAccessibleInEveryTheme(page);
  await page.goto("/marketplace?view=smollm2-135m");
  await expect(page.getByRole("region", { name: "Offers" })).toBeVisible();
  await expectAccessibleInEveryTheme(page);
});
