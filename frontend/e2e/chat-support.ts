import { type APIRequestContext, expect, type Page } from "@playwright/test";

export const PASSWORD = "correct horse battery staple";
export const ADMINISTRATOR = "root@e2e.example.com";

/** A new account on the real server. */
export async function newAccount(request: APIRequestContext): Promise<{ email: string; token: string }> {
  const email = `e2e-${crypto.randomUUID()}@example.com`;
  const reply = await request.post("/api/v1/marketplace/auth/signup", { data: { email, password: PASSWORD } });
  expect(reply.ok(), await reply.text()).toBe(true);
  return { email, token: (await reply.json()).token };
}

/** The page starts signed in. */
export async function signedIn(page: Page, request: APIRequestContext): Promise<{ email: string; token: string }> {
  const account = await newAccount(request);
  await page.addInitScript((token) => localStorage.setItem("token", token), account.token);
  return account;
}

export const composer = (page: Page) => page.getByRole("textbox", { name: /^Message / });

export async function ask(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await composer(page).press("Enter");
}

/** From here on the model writes a few words only: a small one that rambles must not decide how long a test takes. */
export async function shortAnswers(page: Page): Promise<void> {
  await page.route(/\/api\/v1\/agents\/(chat|completion)$/, (route) => {
    const body: Record<string, unknown> = route.request().postDataJSON();
    return route.continue({ postData: JSON.stringify({ ...body, max_tokens: 24 }) });
  });
}

/** Waits for the end of the running answer. */
export async function answered(page: Page): Promise<void> {
  await expect(page.getByRole("button", { name: "Stop the answer" })).toBeHidden({ timeout: 90_000 });
  await expect(page.getByRole("button", { name: "Answer again" }).last()).toBeVisible();
}
