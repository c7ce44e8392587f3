import { type APIRequestContext, type APIResponse, expect as expectReply } from "@playwright/test";
import { ADMINISTRATOR, PASSWORD, signedIn } from "./chat-support";
import { expect, expectAccessible, expectAccessibleInEveryTheme, expectNoSidewaysScroll, test } from "./fixtures";

const A = "/api/v1/agents";

async function agreed(reply: APIResponse): Promise<Record<string, never>> {
  expectReply(reply.ok(), await reply.text()).toBe(true);
  return reply.json();
}

async function administrator(request: APIRequestContext): Promise<string> {
  const data = { email: ADMINISTRATOR, password: PASSWORD };
  return (await (await request.post("/api/v1/marketplace/auth/signin", { data })).json()).token;
}

test("an agent is published, reviewed, found, agreed to, run, rated, and earns", async ({ page, request }) => {
  const root = await administrator(request);
  const { token } = await signedIn(page, request);
  const mark = crypto.randomUUID().slice(0, 8);
  const name = `Echo ${mark}`;

  await page.goto("/agents?tab=mine");
  await page.getByLabel("Handle").fill(`pub-${mark}`);
  await page.getByRole("button", { name: "Take this handle" }).click();
  await page.getByRole("button", { name: "New agent" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Short name").fill("echo");
  await page.getByLabel("Model", { exact: true }).fill("smollm2-135m");
  await page.getByLabel("Summary").fill("Says one word");
  await page.getByLabel("Instructions").fill("Answer with one word.");
  await page.getByLabel("Fee a run").fill("0.02");
  await page.getByLabel("Fee at most").fill("0.02");
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("button", { name: "Save as a draft" }).click();
  await expect(page.getByRole("region", { name: "Offer" })).toContainText("only you can run it");
  await page.getByRole("button", { name: "Offer to everybody" }).click();
  await expect(page.getByRole("region", { name: "Offer" })).toContainText("Waits for a person");

  const queue = (await agreed(
    await request.get("/api/v1/admin/agents/queue", { headers: { Authorization: `Bearer ${root}` } }),
  )) as unknown as { versions: { id: string; version: { version: number; spec: { name: string } } }[] };
  const mine = queue.versions.find(({ version }) => version.spec.name === name);
  await agreed(
    await request.post(`/api/v1/admin/agents/${mine?.id}/versions/1/decision`, {
      headers: { Authorization: `Bearer ${root}` },
      data: { decision: "approve", reason: "fine", password: PASSWORD },
    }),
  );

  // Somebody else finds it, and pays for it.
  const buyer = await agreed(
    await request.post("/api/v1/marketplace/auth/signup", {
      data: { email: `buyer-${mark}@example.com`, password: PASSWORD },
    }),
  );
  const { token: coin, user_id: who } = buyer as unknown as { token: string; user_id: string };
  await agreed(
    await request.post(`/api/v1/admin/people/${who}/credit`, {
      headers: { Authorization: `Bearer ${root}` },
      data: { amount: "5", reason: "a trial", password: PASSWORD },
    }),
  );
  await page.evaluate((value) => localStorage.setItem("token", value), coin);
  await page.addInitScript((value) => localStorage.setItem("token", value), coin);
  await page.goto("/marketplace");
  await page.getByRole("textbox", { name: /search models/i }).fill(mark);
  await page.getByRole("region", { name: "Agents that fit" }).getByRole("button", { name }).click();
  await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
  await expect(page.getByRole("region", { name: "Run" })).toContainText("$0.02 a run");
  await page.getByRole("button", { name: "Agree and use" }).click();
  await page.getByLabel(`Ask ${name}`).fill("Say hello");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.getByRole("status", { name: "Answer" })).toContainText("in all · done", { timeout: 60_000 });
  await page.getByLabel("Stars").selectOption("4");
  await page.getByLabel("Words about it").fill("Short");
  await page.getByRole("button", { name: "Rate" }).click();
  await expect(page.getByText("your rating counts")).toBeVisible();
  await expect(page.getByRole("region", { name: "What users say" })).toContainText("4 of 5");
  await expectAccessibleInEveryTheme(page);
  await expectNoSidewaysScroll(page);

  const earned = await agreed(await request.get(`${A}/earnings`, { headers: { Authorization: `Bearer ${token}` } }));
  expectReply(earned).toMatchObject({ pending: 0.016 });
});

test("agents that come with the product are found by category, and nothing found says what to do @phone", async ({
  page,
}) => {
  await page.goto("/agents");
  await expect(page.getByRole("link", { name: "Code reviewer" })).toBeVisible();
  await expectNoSidewaysScroll(page);
  await page.getByLabel("Category").selectOption("data");
  await expect(page.getByRole("link", { name: "Data extractor" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Code reviewer" })).toBeHidden();
  await page.getByLabel("Search agents").fill("no such thing");
  await expect(page.getByText("No agent fits")).toBeVisible();
  await page.getByRole("button", { name: "Show all agents" }).click();
  await expect(page.getByRole("link", { name: "Model scout" })).toBeVisible();
});
