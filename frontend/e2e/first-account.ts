import type { FullConfig } from "@playwright/test";
import { ADMINISTRATOR, PASSWORD } from "./chat-support";

/** The first account of a server is its administrator: no test may happen to be it. A server that runs already has its own. */
export default async function firstAccount(config: FullConfig): Promise<void> {
  await fetch(`${config.projects[0]?.use.baseURL}/api/v1/marketplace/auth/signup`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: ADMINISTRATOR, password: PASSWORD }),
  });
}
