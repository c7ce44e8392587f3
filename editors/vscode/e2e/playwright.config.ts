import { defineConfig } from "@playwright/test";

/** VS Code's own code, driven in a browser: `make editor-test`. One editor for all, in order: a newcomer's way. */
export default defineConfig({
  testDir: ".",
  outputDir: process.env.E2E_OUTPUT ?? "../test-results",
  workers: 1,
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run"],
    },
  },
});
