import { chooseTheme, expect, expectAccessible, isPhone, test, themes } from "./fixtures";

for (const theme of themes) {
  test(`${theme}: workbench, marketplace, model page and help hold WCAG 2.2 AA`, async ({ page }) => {
    await chooseTheme(page, theme);
    for (const pane of isPhone(page) ? ["editor", "market", "chat"] : ["editor"]) {
      await page.goto(`/?pane=${pane}`);
      await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
      if (!isPhone(page) || pane === "editor") await expect(page.locator(".cm-content")).toBeVisible();
      if (!isPhone(page) || pane === "market") await expect(page.getByRole("gridcell").first()).toBeVisible();
      await expectAccessible(page);
    }
    await page.goto("/marketplace?tier=paid&compare=smollm2-135m,gpt-5");
    await expect(page.getByRole("gridcell").first()).toBeVisible();
    await expectAccessible(page);
    await page.goto("/marketplace?view=smollm2-135m");
    await expect(page.getByRole("region", { name: "Offers" })).toBeVisible();
    await expectAccessible(page);
  });
}
