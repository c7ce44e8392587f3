import { expect, expectAccessible, test } from "./fixtures";
import { act, OwnServer } from "./own-server";

let server: OwnServer;
let admin: string;

test.beforeAll(async ({ playwright }) => {
  server = await OwnServer.start();
  const api = await playwright.request.newContext();
  admin = await server.account(api, "boss@example.com");
  await api.dispose();
});

test.afterAll(() => server.stop());

test("an agent is found by nobody before it was reviewed, and by nobody once it was stopped", async ({ page, request }) => {
  const headers = { Authorization: `Bearer ${await server.account(request, "ada@example.com")}` };
  const agents = `${server.url}/api/v1/agents`;
  await request.put(`${agents}/publisher`, { headers, data: { handle: "ada" } });
  const version = {
    name: "Reviewer",
    model: "auto",
    instructions: "Name what will break.",
    licence: "MIT",
    category: "code",
  };
  const made = await request.post(`${agents}/offered`, { headers, data: { slug: "reviewer", version } });
  const { agent } = await made.json();
  await request.post(`${agents}/offered/${agent.id}/versions/1/submit`, { headers, data: { visibility: "listed" } });
  const listed = async () => (await request.get(`${agents}/listings/ada/reviewer`)).status();
  expect(await listed()).toBe(404);

  await server.enter(page, admin, "/admin");
  await expect(page.getByRole("region", { name: "Set up" })).toContainText("Waiting for the first call to a provider");
  await expect(page.getByRole("region", { name: "Set up" })).toContainText("Say how people pay you");
  await expectAccessible(page);
  await page.getByRole("link", { name: "1 agents to review" }).click();
  await page.getByRole("button", { name: "Review agent/ada/reviewer" }).click();
  await expect(page.getByRole("dialog").getByText("Name what will break.")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "List it…" }).click();
  await act(page, {}, "List it");
  await expect(page.getByText("No agent waits for you.")).toBeVisible();
  expect(await listed()).toBe(200);

  await page.getByLabel("Find agents by publisher, name or id").fill("ada/");
  await page.getByRole("button", { name: "Stop version 1 of agent/ada/reviewer" }).click();
  await act(page, {}, "Stop it");
  await expect(page.getByText("suspended")).toBeVisible();
  expect(await listed()).not.toBe(200);
  await expectAccessible(page);
});

test("from the page alone a setting counts for others, and a person is trusted, suspended and let in again", async ({
  page,
  request,
}) => {
  const bob = await server.account(request, "bob@example.com");
  await server.enter(page, admin, "/admin?part=settings");
  await page.getByRole("button", { name: "Change… Banner" }).click();
  await act(page, { Value: "Down on Sunday from 8 to 9" }, "Change it");
  await page.getByRole("tab", { name: "People" }).click();
  const row = page.getByRole("row", { name: /bob@example\.com/ });
  await page.getByRole("button", { name: "Trust bob@example.com" }).click();
  await act(page, {}, "Trust");
  await expect(row).toContainText("user, trusted");
  await page.getByRole("button", { name: "Suspend bob@example.com" }).click();
  await act(page, {}, "Suspend");
  await expect(row).toContainText("suspended");
  const profile = async () =>
    (
      await request.get(`${server.url}/api/v1/marketplace/profile`, { headers: { Authorization: `Bearer ${bob}` } })
    ).status();
  expect(await profile()).toBe(401);
  await page.getByRole("button", { name: "Let in bob@example.com" }).click();
  await act(page, {}, "Let in");
  await page.evaluate(() => localStorage.clear());
  await page.goto(`${server.url}/connect`);
  await expect(page.getByText("Down on Sunday from 8 to 9")).toBeVisible();
});
