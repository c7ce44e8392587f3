import { expect, expectAccessible, expectNoSidewaysScroll, test } from "./fixtures";
import { act, OwnServer, password } from "./own-server";

let server: OwnServer;
let admin: string;

/** It takes bank transfers. */
test.beforeAll(async ({ playwright }) => {
  server = await OwnServer.start({ MARKETPLACE_TRANSFER: "To IBAN XY12 3456." });
  const api = await playwright.request.newContext();
  admin = await server.account(api, "boss@example.com");
  await api.dispose();
});

test.afterAll(() => server.stop());

test("a transfer is ordered, seen to arrive, asked back and paid back, each with its line in the audit log", async ({
  page,
  request,
}) => {
  const ada = await server.account(request, "ada@example.com");
  await server.enter(page, ada, "/account");
  const credit = page.getByRole("region", { name: "Add credit" });
  await credit.getByLabel("Amount in dollars").fill("50");
  await credit.getByRole("button", { name: "Continue" }).click();
  await expect(credit.getByText("To IBAN XY12 3456.")).toBeVisible();
  await expectAccessible(page);

  await server.enter(page, admin, "/admin");
  await expectAccessible(page);
  await page.getByRole("link", { name: "1 bank transfers to look for" }).click();
  await expect(page.getByText("ada@example.com")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "$50.00 of ada@example.com has arrived" }).click();
  await act(page, { "The transfer, as the bank names it": "bank-1" }, "It has arrived");

  await server.enter(page, ada, "/account");
  await expect(page.getByText("$55.00").first()).toBeVisible();
  await credit.getByRole("button", { name: "Receipt" }).click();
  await expect(page.getByRole("dialog", { name: "Receipt no. 1" })).toContainText("50.00 USD");
  await page.keyboard.press("Escape");
  await credit.getByRole("button", { name: "Money back…" }).click();
  await credit.getByRole("button", { name: "Pay $50.00 back" }).click();
  await expect(credit.getByText("$50.00 of it went back")).toBeVisible();

  await server.enter(page, admin, "/admin?part=payments");
  await page.getByRole("button", { name: "$50.00 to ada@example.com is paid back" }).click();
  await act(page, { "The payment, as the bank names it": "out-1" }, "It is paid back");
  await page.getByRole("tab", { name: "Audit log" }).click();
  const log = page.getByRole("region", { name: "Audit log" });
  await expect(log.getByRole("cell", { name: "transfer", exact: true })).toBeVisible();
  await expect(log.getByRole("cell", { name: "refund", exact: true })).toBeVisible();
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
});

test("codes are shown once and redeemed, credit is given with the password, and others see nothing", async ({
  page,
  request,
}) => {
  const bob = await server.account(request, "bob@example.com");
  await server.enter(page, admin, "/admin?part=codes");
  const form = page.getByRole("form", { name: "Make codes" });
  await form.getByLabel("Name").fill("Spring");
  await form.getByLabel("How many").fill("2");
  await form.getByLabel("Credit of each, dollars").fill("10");
  await form.getByLabel("Reason").fill("a sale");
  await form.getByLabel("Your password").fill(password);
  await form.getByRole("button", { name: "Make codes" }).click();
  const sheet = page.getByRole("region", { name: "New codes" });
  const code = (await sheet.locator("li .font-mono").first().textContent()) ?? "";
  await expectAccessible(page);
  await page.getByRole("tab", { name: "People" }).click();
  await page.getByLabel("Find by address or id").fill("bob@");
  await page.getByRole("button", { name: "Give credit to bob@example.com" }).click();
  await act(page, { Dollars: "2.5" }, "Give credit");
  await expect(page.getByRole("cell", { name: "$7.50" })).toBeVisible();
  await expectAccessible(page);
  for (const name of ["Disputed answers", "Usage", "Agents", "Providers", "Models and prices", "Settings"]) {
    await page.getByRole("tab", { name }).click();
    await expectAccessible(page);
  }

  await server.enter(page, bob, "/account");
  await page.getByLabel("Redeem a code").fill(code.toLowerCase());
  await page.getByRole("button", { name: "Redeem" }).click();
  await expect(page.getByText("$10.00 added")).toBeVisible();
  await page.goto(`${server.url}/admin`);
  await expect(page.getByText("Your account may not open this page.")).toBeVisible();
});

test("without mail a forgotten password is chosen anew by a link that the administrator hands on", async ({
  page,
  request,
}) => {
  await server.account(request, "eve@example.com");
  await page.goto(`${server.url}/connect`);
  await page.evaluate(() => localStorage.removeItem("token"));
  await page.goto(`${server.url}/account`);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("tab", { name: "Sign in" }).click();
  await dialog.getByRole("button", { name: "Forgot password?" }).click();
  await dialog.getByLabel("Email of your account").fill("eve@example.com");
  await dialog.getByRole("button", { name: "Send me a link" }).click();
  await expect(dialog.getByText("This server sends no mail")).toBeVisible();
  await expectAccessible(page);

  await server.enter(page, admin, "/admin?part=mail");
  await page.getByRole("button", { name: "Show link for eve@example.com" }).click();
  await page.getByLabel("Reason").fill("she called");
  await page.getByLabel("Your password").fill(password);
  await page.getByRole("button", { name: "Show it" }).click();
  const link = await page.getByRole("dialog", { name: "Hand this link on" }).getByText("/reset#").textContent();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: "Alerts" }).click();
  await page.getByRole("button", { name: "Change the rule disk" }).click();
  await act(page, { "Told above": "95" }, "Save");
  await expect(page.getByRole("cell", { name: "95.0 %" })).toBeVisible();
  await expectAccessible(page);

  await page.evaluate(() => localStorage.removeItem("token"));
  await page.goto("about:blank");
  await page.goto(link ?? "");
  await expect(page).toHaveURL(`${server.url}/reset`);
  await page.getByLabel("New password", { exact: true }).fill("another horse, another battery");
  await page.getByLabel("New password again").fill("another horse, another battery");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Set it" }).click();
  await expect(page.getByText("Your new password is set.")).toBeVisible();
  const signIn = `${server.url}/api/v1/marketplace/auth/signin`;
  const email = "eve@example.com";
  expect((await request.post(signIn, { data: { email, password: "another horse, another battery" } })).ok()).toBe(true);
  expect((await request.post(signIn, { data: { email, password } })).status()).toBe(401);
});
