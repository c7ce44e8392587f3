import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type APIRequestContext, type Page, request as requests } from "@playwright/test";
import { expect, expectAccessible, expectNoSidewaysScroll, test } from "./fixtures";

const password = "correct horse, not the comic";
let server: ChildProcess;
let url: string;
let admin: string;

/** A server of its own: its first account is the administrator, and it takes bank transfers. */
test.beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "marketplace-admin-"));
  server = spawn("../.venv/bin/agent-marketplace", ["serve", "--host", "127.0.0.1", "--port", "0"], {
    env: {
      ...process.env,
      MARKETPLACE_DATA_DIR: folder,
      MARKETPLACE_LIMITS: "off",
      MARKETPLACE_LOCAL_MODEL: "off",
      MARKETPLACE_TRANSFER: "To IBAN XY12 3456.",
    },
  });
  url = await new Promise<string>((resolve, reject) => {
    let said = "";
    const hear = (text: Buffer) => {
      said += String(text);
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
      if (found) resolve(found[0]);
    };
    server.stdout?.on("data", hear);
    server.stderr?.on("data", hear);
    server.on("exit", () => reject(new Error(said)));
  });
  const api = await requests.newContext({ baseURL: url });
  await expect.poll(async () => (await api.get("/readyz").catch(() => null))?.status(), { timeout: 60_000 }).toBe(200);
  admin = await account(api, "boss@example.com");
  await api.dispose();
});

test.afterAll(() => {
  server.removeAllListeners("exit");
  server.kill();
});

async function account(api: APIRequestContext, email: string): Promise<string> {
  const reply = await api.post(`${url}/api/v1/marketplace/auth/signup`, { data: { email, password } });
  return (await reply.json()).token;
}

async function enter(page: Page, token: string, path: string): Promise<void> {
  await page.goto(`${url}/connect`);
  await page.evaluate((text) => localStorage.setItem("token", text), token);
  await page.goto(url + path);
}

async function act(page: Page, fields: Record<string, string>, button: string): Promise<void> {
  const dialog = page.getByRole("dialog");
  for (const [label, value] of Object.entries({ Reason: "as agreed", "Your password": password, ...fields })) {
    await dialog.getByLabel(label).fill(value);
  }
  await dialog.getByRole("button", { name: button }).click();
  await expect(dialog).toBeHidden();
}

test("a transfer is ordered, seen to arrive, asked back and paid back, each with its line in the audit log", async ({
  page,
  request,
}) => {
  const ada = await account(request, "ada@example.com");
  await enter(page, ada, "/account");
  const credit = page.getByRole("region", { name: "Add credit" });
  await credit.getByLabel("Amount in dollars").fill("50");
  await credit.getByRole("button", { name: "Continue" }).click();
  await expect(credit.getByText("To IBAN XY12 3456.")).toBeVisible();
  await expectAccessible(page);

  await enter(page, admin, "/admin");
  await expectAccessible(page);
  await page.getByRole("link", { name: "1 bank transfers to look for" }).click();
  await expect(page.getByText("ada@example.com")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "$50.00 of ada@example.com has arrived" }).click();
  await act(page, { "The transfer, as the bank names it": "bank-1" }, "It has arrived");

  await enter(page, ada, "/account");
  await expect(page.getByText("$55.00").first()).toBeVisible();
  await credit.getByRole("button", { name: "Receipt" }).click();
  await expect(page.getByRole("dialog", { name: "Receipt no. 1" })).toContainText("50.00 USD");
  await page.keyboard.press("Escape");
  await credit.getByRole("button", { name: "Money back…" }).click();
  await credit.getByRole("button", { name: "Pay $50.00 back" }).click();
  await expect(credit.getByText("$50.00 of it went back")).toBeVisible();

  await enter(page, admin, "/admin?part=payments");
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
  const bob = await account(request, "bob@example.com");
  await enter(page, admin, "/admin?part=codes");
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
  for (const name of ["Disputed answers", "Usage", "Prices"]) {
    await page.getByRole("tab", { name }).click();
    await expectAccessible(page);
  }

  await enter(page, bob, "/account");
  await page.getByLabel("Redeem a code").fill(code.toLowerCase());
  await page.getByRole("button", { name: "Redeem" }).click();
  await expect(page.getByText("$10.00 added")).toBeVisible();
  await page.goto(`${url}/admin`);
  await expect(page.getByText("Your account may not open this page.")).toBeVisible();
});
