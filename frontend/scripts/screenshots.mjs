// Makes the pictures of docs/tour.md and docs/states.md: `npm run screenshots [-- part-of-a-name]`. It starts a demo server on an
// empty data folder; states that need a failing server are made by answering in its place.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import { stateShots } from "./screenshots-states.mjs";
import { tourShots } from "./screenshots-tour.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const port = Number(process.env.SCREENSHOTS_PORT ?? 8797);
const LARGEST = 150_000;
// As where the operator has keys: models are offered and priced. Nothing listens at the address, and nothing is sent there.
const nowhere = "http://127.0.0.1:9/v1";
const operator = {
  OPENAI_API_KEY: "none",
  OPENAI_BASE_URL: nowhere,
  ANTHROPIC_API_KEY: "none",
  ANTHROPIC_BASE_URL: nowhere,
  GEMINI_API_KEY: "none",
  GOOGLE_GEMINI_BASE_URL: nowhere,
};
const PATIENCE_MS = 30_000;
const desktop = { viewport: { width: 1152, height: 720 } };
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** The demo server and its one-time code. */
async function startDemo(dataDir) {
  const server = spawn(join(root, ".venv/bin/agent-marketplace"), ["demo", "--port", String(port)], {
    env: { ...process.env, ...operator, MARKETPLACE_DATA_DIR: dataDir, MARKETPLACE_LIMITS: "off" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: server.stdout })) {
    const [, address, code] = /(http:\/\/[^/]+)\/\S*#code=(\S+)/.exec(line) ?? [];
    if (address) return { server, address, code };
  }
  throw new Error("the demo server ended before it said its address");
}

async function signIn(address, code) {
  const reply = await fetch(`${address}/api/v1/demo/session`, { method: "POST", body: JSON.stringify({ code }) });
  if (!reply.ok) throw new Error(await reply.text());
  return (await reply.json()).token;
}

async function until(check) {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    if (await check().catch(() => false)) return;
    await new Promise((wake) => setTimeout(wake, 200));
  }
  throw new Error("the demo server did not become ready");
}

async function take(browser, address, token, shot) {
  const { name, theme = "dark", small = false, height, act } = shot;
  const context = await browser.newContext({
    ...(small ? phone : desktop),
    ...(height ? { viewport: { ...desktop.viewport, height } } : {}),
    baseURL: address,
    colorScheme: "dark",
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addInitScript(
    ([kept, chosen]) => {
      localStorage.setItem("token", kept);
      localStorage.setItem("marketplace.theme", chosen);
    },
    [token, theme],
  );
  const page = await context.newPage();
  await act(page, { token });
  const path = join(root, "docs/images", `${name}.png`);
  const picture = await page.screenshot({ caret: "hide", animations: "disabled" });
  await context.close();
  writeFileSync(path, picture);
  const size = picture.length;
  process.stdout.write(`${(size / 1000).toFixed(0).padStart(5)} kB  ${name}\n`);
  if (size > LARGEST) throw new Error(`larger than ${LARGEST / 1000} kB`);
}

const wanted = process.argv[2] ?? "";
const shots = [...tourShots, ...stateShots].filter(({ name }) => name.includes(wanted));
const dataDir = mkdtempSync(join(tmpdir(), "marketplace-screenshots-"));
mkdirSync(join(root, "docs/images"), { recursive: true });
const { server, address, code } = await startDemo(dataDir);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"],
});
try {
  await until(async () => (await fetch(`${address}/readyz`)).ok);
  const token = await signIn(address, code);
  await until(async () => {
    const reply = await fetch(`${address}/api/v1/marketplace/models/smollm2-135m`);
    return (await reply.json()).model.is_available;
  });
  for (const shot of shots) {
    await take(browser, address, token, shot).catch((error) => {
      process.exitCode = 1;
      process.stderr.write(`${shot.name}: ${error.message}\n`);
    });
  }
} finally {
  await browser.close();
  server.kill("SIGTERM");
  await new Promise((ended) => server.once("exit", ended));
  rmSync(dataDir, { recursive: true, force: true });
}
