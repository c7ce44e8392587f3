import { answered, ask, PASSWORD, shortAnswers, signedIn } from "./chat-support";
import { expect, expectAccessible, expectAccessibleInEveryTheme, expectNoSidewaysScroll, test } from "./fixtures";

test.setTimeout(90_000);

test("account and connect are accessible in every theme", { tag: "@phone" }, async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/account");
  await expect(page.getByText("to spend")).toBeVisible();
  await expect(page.getByRole("heading", { name: "Security and data" })).toBeVisible();
  await expectAccessibleInEveryTheme(page);
  await expectNoSidewaysScroll(page);
  await page.goto("/connect");
  await expect(page.getByRole("tab", { name: "Continue" })).toBeVisible();
  await expectAccessibleInEveryTheme(page);
  await expectNoSidewaysScroll(page);
});

test("what was asked stands in the usage, with the sign-up credit in the statement", async ({ page, request }) => {
  await signedIn(page, request);
  await shortAnswers(page);
  await page.goto("/chat");
  await ask(page, "Say hi.");
  await answered(page);
  await page.goto("/account");
  await expect(page.getByText(/for 1 answer,/)).toBeVisible();
  await expect(page.getByRole("cell", { name: "+$5.00" })).toBeVisible();
});

test("the page is read to its end with the keyboard alone", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/account");
  await page.getByRole("button", { name: "Sign out" }).focus();
  await page.keyboard.press("End");
  await expect(page.getByRole("button", { name: "Delete my account…" })).toBeInViewport();
});

test("a key is made with a cap, shown once, works, and dies when revoked", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/account");
  const keys = page.getByRole("region", { name: "Marketplace keys" });
  await keys.getByLabel("Name").fill("Zed");
  await keys.getByLabel("Cap in dollars").fill("2.50");
  await keys.getByRole("button", { name: "Create key" }).click();
  await expect(keys.getByText("it is not shown again")).toBeVisible();
  const secret = (await keys.getByRole("status").locator("code").textContent()) ?? "";
  const balance = () =>
    request.get("/api/v1/marketplace/billing/balance", { headers: { Authorization: `Bearer ${secret}` } });
  expect((await balance()).status()).toBe(200);
  await keys.getByRole("button", { name: "Done" }).click();
  await expect(page.getByText(secret)).toHaveCount(0);
  await expect(keys.getByText("spent $0.00 of $2.50 a month")).toBeVisible();
  await keys.getByRole("button", { name: "Revoke Zed" }).click();
  await keys.getByRole("button", { name: "Yes, revoke Zed" }).click();
  await expect(keys.getByText("spent $0.00 of $2.50")).toHaveCount(0);
  await expect.poll(async () => (await balance()).status()).toBe(401);
});

test("the settings for curl work as they are copied", async ({ page, request, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await signedIn(page, request);
  await page.goto("/connect");
  await page.getByRole("button", { name: "Create a key" }).click();
  await page.getByRole("tab", { name: "curl" }).click();
  await page.getByRole("button", { name: "Copy settings for curl" }).click();
  await expect(page.getByText("Copied")).toBeVisible();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  const [, url] = /curl (\S+)/.exec(command) ?? [];
  const [, key] = /Bearer ([^"]+)/.exec(command) ?? [];
  const [, body] = /-d '(.+)'/.exec(command) ?? [];
  const reply = await request.post(url ?? "", {
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    data: body,
    timeout: 60_000,
  });
  expect(reply.status(), await reply.text()).toBe(200);
  expect((await reply.json()).choices[0].message.content).toBeTruthy();
});

test("a wrong password does not sign out, the right one deletes the account", async ({ page, request }) => {
  const { email } = await signedIn(page, request);
  await page.goto("/account");
  await page.getByRole("button", { name: "Delete my account…" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete your account?" });
  await dialog.getByLabel("Your password").fill("not this one");
  await dialog.getByRole("button", { name: "Delete for good" }).click();
  await expect(dialog.getByRole("alert")).toContainText("Invalid credentials");
  await expectAccessible(page);
  await dialog.getByLabel("Your password").fill(PASSWORD);
  await dialog.getByRole("button", { name: "Delete for good" }).click();
  await expect(page.getByText("You are not signed in")).toBeVisible();
  const again = await request.post("/api/v1/marketplace/auth/signin", { data: { email, password: PASSWORD } });
  expect(again.status()).toBe(401);
});

test("the theme is chosen here and kept", async ({ page, request }) => {
  await signedIn(page, request);
  await page.goto("/account");
  await page.getByRole("combobox", { name: "Theme" }).selectOption("light");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
});
