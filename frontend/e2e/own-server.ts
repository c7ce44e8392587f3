import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type APIRequestContext, expect, type Page, request as requests } from "@playwright/test";

export const password = "correct horse, not the comic";

/** A server of a spec's own: empty, so that its first account is the administrator. */
export class OwnServer {
  private constructor(
    private readonly process: ChildProcess,
    readonly url: string,
  ) {}

  static async start(settings: Record<string, string> = {}): Promise<OwnServer> {
    const process_ = spawn("../.venv/bin/agent-marketplace", ["serve", "--host", "127.0.0.1", "--port", "0"], {
      env: {
        ...process.env,
        MARKETPLACE_DATA_DIR: mkdtempSync(join(tmpdir(), "marketplace-own-")),
        MARKETPLACE_LIMITS: "off",
        MARKETPLACE_LOCAL_MODEL: "off",
        ...settings,
      },
    });
    const url = await new Promise<string>((resolve, reject) => {
      let said = "";
      const hear = (text: Buffer) => {
        said += String(text);
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
        if (found) resolve(found[0]);
      };
      process_.stdout?.on("data", hear);
      process_.stderr?.on("data", hear);
      process_.on("exit", () => reject(new Error(said)));
    });
    const api = await requests.newContext({ baseURL: url });
    await expect.poll(async () => (await api.get("/readyz").catch(() => null))?.status(), { timeout: 60_000 }).toBe(200);
    await api.dispose();
    return new OwnServer(process_, url);
  }

  stop(): void {
    this.process.removeAllListeners("exit");
    this.process.kill();
  }

  /** A new account's token. */
  async account(api: APIRequestContext, email: string): Promise<string> {
    const reply = await api.post(`${this.url}/api/v1/marketplace/auth/signup`, { data: { email, password } });
    return (await reply.json()).token;
  }

  /** Opens a page of it, signed in. */
  async enter(page: Page, token: string, path: string): Promise<void> {
    await page.goto(`${this.url}/connect`);
    await page.evaluate((text) => localStorage.setItem("token", text), token);
    await page.goto(this.url + path);
  }
}

/** Fills the console's dialog of one act, and does it. */
export async function act(page: Page, fields: Record<string, string>, button: string): Promise<void> {
  const dialog = page.getByRole("dialog");
  for (const [label, value] of Object.entries({ Reason: "as agreed", ...fields })) {
    await dialog.getByLabel(label).fill(value);
  }
  const proof = dialog.getByLabel("Your password");
  if (await proof.isVisible()) await proof.fill(password);
  await dialog.getByRole("button", { name: button, exact: true }).click();
  await expect(dialog).toBeHidden();
}
