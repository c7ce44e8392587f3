// All bytes over the network, compressed, until `/` is idle for a newcomer, in Chromium; run against a server that serves:
//   node scripts/first-load.ts [http://127.0.0.1:8000] [--slow]
// `--slow`: 50 kB/s and 400 ms (slow 3G); then also the time until the first card stands.
import { pathToFileURL } from "node:url";
import { chromium, type Page } from "@playwright/test";

export const FIRST_LOAD = 200_000;
const SLOW = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 };

/** Bytes by request, and their sum; `page` must be new. Times in ms. */
export async function measureFirstLoad(page: Page, url: string, { slow = false } = {}) {
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  await network.send("Network.setCacheDisabled", { cacheDisabled: true });
  if (slow) await network.send("Network.emulateNetworkConditions", SLOW);
  const paths = new Map<string, URL>();
  const requests: { path: string; bytes: number }[] = [];
  network.on("Network.requestWillBeSent", ({ requestId, request }) => paths.set(requestId, new URL(request.url)));
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength: bytes }) => {
    const address = paths.get(requestId);
    if (address?.protocol.startsWith("http")) requests.push({ path: address.pathname + address.search, bytes });
  });
  const started = Date.now();
  await page.goto(url);
  await page.getByRole("gridcell").first().waitFor({ timeout: 60_000 });
  const firstCard = Date.now() - started;
  await page.waitForLoadState("networkidle");
  await network.detach();
  return { total: requests.reduce((sum, { bytes }) => sum + bytes, 0), firstCard, requests };
}

async function main() {
  const slow = process.argv.includes("--slow");
  const url = process.argv.slice(2).find((word) => !word.startsWith("--")) ?? "http://127.0.0.1:8000";
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run"],
  });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const { total, firstCard, requests } = await measureFirstLoad(page, url, { slow });
  await browser.close();
  const line = (bytes: number, words: string) =>
    process.stdout.write(`${(bytes / 1000).toFixed(1).padStart(8)} kB  ${words}\n`);
  for (const { path, bytes } of requests.sort((a, b) => b.bytes - a.bytes)) line(bytes, path);
  line(total, `in all, ${requests.length} requests; the first card after ${firstCard} ms`);
  process.exit(total > FIRST_LOAD ? 1 : 0);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
