import { signedIn } from "./chat-support";
import { expect, expectAccessibleInEveryTheme, expectNoSidewaysScroll, test } from "./fixtures";

test("a run goes from its task to its receipt, and is found again", async ({ page, request }) => {
  const { token } = await signedIn(page, request);
  const made = await request.post("/api/v1/agents/agents", {
    headers: { Authorization: `Bearer ${token}` },
    data: { name: "Sailor", model: "smollm2-135m", instructions: "", parameters: { max_tokens: 16 } },
  });
  const { agent } = await made.json();
  await page.goto("/runs");
  await expect(page.getByText("No run yet.")).toBeVisible();
  const form = page.getByRole("form", { name: "Start a run" });
  await form.getByLabel("Agent or model").fill("agt_unknown");
  await form.getByLabel("Task").fill("Say something about the sea.");
  await form.getByRole("button", { name: "Run" }).click();
  await expect(form.getByRole("alert")).toHaveText(/No such agent/);
  await form.getByLabel("Agent or model").fill(agent.id);
  await form.getByRole("button", { name: "Run" }).click();
  await expect(page).toHaveURL(/run=run_/);
  const view = page.getByRole("region", { name: "Run of Sailor" });
  await expect(view.getByRole("status")).toHaveText("Done", { timeout: 60_000 });
  await expect(view.getByRole("button", { name: "Stop" })).toBeHidden();
  await expect(view.getByRole("region", { name: "Answer" })).not.toBeEmpty();
  await expect(view.getByRole("list", { name: "Steps" }).getByRole("listitem")).toHaveCount(1);
  await view.getByRole("button", { name: "Receipt" }).click();
  await expect(view.getByRole("region", { name: "Receipt" })).toContainText("Together, as the ledger says");
  await expectAccessibleInEveryTheme(page);
  await expectNoSidewaysScroll(page);
  await page.reload();
  await expect(view.getByRole("status")).toHaveText("Done");
  await page.getByRole("button", { name: "All runs" }).click();
  await page.getByRole("list", { name: "Runs" }).getByRole("link").click();
  await expect(view.getByRole("status")).toHaveText("Done");
  await view.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Keep it" }).click();
  await view.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByText("No run yet.")).toBeVisible();
});
