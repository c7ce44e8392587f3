import { signedIn } from "./chat-support";
import { expect, expectAccessible, expectAccessibleInEveryTheme, expectNoSidewaysScroll, test } from "./fixtures";

const device = "/api/v1/marketplace/auth/device";
const grant = "urn:ietf:params:oauth:grant-type:device_code";

test("a program's code is answered in words, and the key does what was ticked and no more", async ({ page, request }) => {
  const form = { client_id: "Ada's editor", scope: "inference account:read" };
  const codes = await (await request.post(`${device}/code`, { form })).json();
  const fetched = async () =>
    (
      await request.post(`${device}/token`, {
        form: { grant_type: grant, device_code: codes.device_code, client_id: form.client_id },
      })
    ).json();
  expect((await fetched()).error).toBe("authorization_pending");
  await signedIn(page, request);
  const { pathname, search } = new URL(codes.verification_uri_complete);
  await page.goto(pathname + search);
  await expect(page.getByLabel("The code that your program shows")).toHaveValue(codes.user_code);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByText("“Ada's editor”")).toBeVisible();
  await expect(page.getByText("the network address that you are at")).toBeVisible();
  await expect(page.getByText("they want to spend your credit: refuse")).toBeVisible();
  await expectAccessibleInEveryTheme(page);
  await expectNoSidewaysScroll(page);
  await page.getByLabel("Read your profile").uncheck();
  await page.getByLabel("Cap in dollars").fill("0.25");
  await page.getByRole("button", { name: "Allow" }).click();
  await expect(page.getByText("Done: the program has its key")).toBeVisible();
  const token = await fetched();
  expect(token.scope).toBe("inference");
  const headers = { Authorization: `Bearer ${token.access_token}` };
  expect((await request.get("/v1/models", { headers })).status()).toBe(200);
  expect((await request.get("/api/v1/marketplace/billing/balance", { headers })).status()).toBe(403);
});

test("who is not signed in signs in first, a wrong code says so, and a refusal reaches the program", async ({
  page,
  request,
}) => {
  const codes = await (await request.post(`${device}/code`, { form: { client_id: "tool" } })).json();
  await page.goto("/device?code=BBBB-BBBB");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await signedIn(page, request);
  await page.reload();
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("alert")).toContainText("No program is waiting with this code");
  await page.getByLabel("The code that your program shows").fill(codes.user_code.toLowerCase());
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "Refuse" }).click();
  await expect(page.getByText("Refused: the program gets nothing.")).toBeVisible();
  const form = { grant_type: grant, device_code: codes.device_code, client_id: "tool" };
  expect((await (await request.post(`${device}/token`, { form })).json()).error).toBe("access_denied");
});
