import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, expectAccessible, test } from "./fixtures";
import { act, OwnServer } from "./own-server";

let server: OwnServer;
let provider: Server;
let admin: string;

/** A provider that answers everything alike, for a price. */
test.beforeAll(async ({ playwright }) => {
  provider = createServer((_, response) => {
    const message = { role: "assistant", content: "Five." };
    const usage = { prompt_tokens: 2000, completion_tokens: 1000, total_tokens: 3000 };
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    const answer = { id: "c1", object: "chat.completion", created: 1, model: "gpt-4.1", choices, usage };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
  await new Promise<void>((ready) => {
    provider.listen(0, "127.0.0.1", ready);
  });
  const { port } = provider.address() as AddressInfo;
  server = await OwnServer.start({ OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`, OPENAI_API_KEY: "sk-of-this-spec" });
  const api = await playwright.request.newContext();
  admin = await server.account(api, "boss@example.com");
  await api.dispose();
});

test.afterAll(() => {
  server.stop();
  provider.close();
});

test("a wrong answer is disputed by its payer, seen in everybody's activity, decided by an administrator, and paid back", async ({
  page,
  request,
}) => {
  const ada = await server.account(request, "ada@example.com");
  const headers = { authorization: `Bearer ${ada}` };
  const data = { model: "gpt-4.1", prompt: "THE-SECRET: 2 + 2?", max_tokens: 1000 };
  const answer = await request.post(`${server.url}/api/v1/agents/completion`, { headers, data });
  expect(answer.status(), await answer.text()).toBe(200);

  await server.enter(page, ada, "/activity");
  await page
    .getByRole("link", { name: /^Receipt of/ })
    .first()
    .click();
  await page.getByRole("button", { name: /^Ask for .* back…$/ }).click();
  const form = page.getByRole("form", { name: "Ask for the money back" });
  await form.getByLabel("In your words").fill("two and two are four");
  await form.getByRole("button", { name: /^Ask for .* back$/ }).click();
  await expect(page.getByText("An administrator will look at it.")).toBeVisible();

  await server.enter(page, admin, "/admin?part=activity");
  await expect(page.getByRole("cell", { name: "gpt-4.1" })).toBeVisible();
  await page.getByRole("button", { name: "Calls of ada@example.com only" }).click();
  await expect(page.getByRole("button", { name: "Of ada@example.com: show everybody" })).toBeVisible();
  await expect(page.getByText("THE-SECRET")).toHaveCount(0);
  await expectAccessible(page);

  await page.getByRole("tab", { name: "Overview" }).click();
  await page.getByRole("link", { name: "1 disputed answers to decide" }).click();
  await expect(page.getByText("two and two are four")).toBeVisible();
  await page.getByRole("button", { name: /^Give back / }).click();
  await act(page, {}, "Give it back");
  await expect(page.getByText("No disputed answers.")).toBeVisible();
  const left = await request.get(`${server.url}/api/v1/marketplace/billing/balance`, { headers });
  expect((await left.json()).balance).toBe(5);
  await page.getByRole("tab", { name: "Audit log" }).click();
  await expect(page.getByRole("cell", { name: "answer dispute" })).toBeVisible();
});

test("accounts are chosen, given credit and suspended together, and a key and a session of somebody end", async ({
  page,
  request,
}) => {
  const [eve] = [
    await server.account(request, "eve@bulk.example"),
    await server.account(request, "joe@bulk.example"),
    await server.account(request, "zoe@bulk.example"),
  ];
  const headers = { authorization: `Bearer ${eve}` };
  await request.post(`${server.url}/api/v1/marketplace/keys`, { headers, data: { name: "leaked" } });
  await server.enter(page, admin, "/admin?part=people");
  await page.getByLabel("Find by address or id").fill("bulk.example");
  await page.getByRole("checkbox", { name: "Choose joe@bulk.example" }).check();
  await page.getByRole("checkbox", { name: "Choose zoe@bulk.example" }).check();
  await expect(page.getByText("2 accounts chosen")).toBeVisible();
  await page.getByRole("button", { name: "Give credit to all" }).click();
  await act(page, { "Dollars each": "2.5" }, "Give credit");
  await expect(page.getByRole("cell", { name: "$7.50" })).toHaveCount(2);
  await expect(page.getByText("accounts chosen")).toHaveCount(0);
  await page.getByRole("checkbox", { name: "Choose joe@bulk.example" }).check();
  await page.getByRole("checkbox", { name: "Choose zoe@bulk.example" }).check();
  await page.getByRole("button", { name: "Suspend all" }).click();
  await act(page, {}, "Suspend");
  await expect(page.getByRole("cell", { name: "suspended" })).toHaveCount(2);

  await page.getByRole("button", { name: "Access of eve@bulk.example: sessions and keys" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Revoke the key leaked" }).click();
  await act(page, {}, "Revoke");
  await page.getByRole("button", { name: "Access of eve@bulk.example: sessions and keys" }).click();
  const access = page.getByRole("dialog");
  await expect(access.getByText("No keys.")).toBeVisible();
  await access.getByRole("button", { name: /^End the session/ }).click();
  await act(page, {}, "End the session");
  const after = await request.get(`${server.url}/api/v1/marketplace/profile`, { headers });
  expect(after.status()).toBe(401);
});
