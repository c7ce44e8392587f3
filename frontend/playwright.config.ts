import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig, devices } from "@playwright/test";

/** MARKETPLACE_URL tests a server that runs already; otherwise a fresh one is started on an empty data folder. */
const port = Number(process.env.E2E_PORT ?? 8790);
const given = process.env.MARKETPLACE_URL;
const baseURL = given ?? `http://127.0.0.1:${port}`;
const { defaultBrowserType: _browser, ...phone } = devices["Pixel 7"];

export default defineConfig({
  testDir: "e2e",
  globalSetup: "./e2e/first-account.ts",
  outputDir: process.env.E2E_OUTPUT ?? "test-results",
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  workers: 2,
  timeout: 120_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: {
    baseURL,
    colorScheme: "dark",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // A name that leads to this machine and is no localhost: pages there are no secure context.
        "--host-resolver-rules=MAP lan.test 127.0.0.1",
      ],
    },
  },
  projects: [
    { name: "desktop", use: { viewport: { width: 1440, height: 900 } } },
    // What a small screen, touch or a sheet in place of a column changes; everything else would be asked twice.
    { name: "phone", grep: /@phone/, use: { ...phone, viewport: { width: 390, height: 844 } } },
  ],
  webServer: given
    ? undefined
    : {
        command: `../.venv/bin/agent-marketplace serve --host 127.0.0.1 --port ${port}`,
        url: `${baseURL}/readyz`,
        timeout: 60_000,
        env: {
          MARKETPLACE_DATA_DIR: process.env.E2E_DATA_DIR ?? mkdtempSync(join(tmpdir(), "marketplace-e2e-")),
          MARKETPLACE_LIMITS: "off",
        },
      },
});
