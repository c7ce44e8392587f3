import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, expectAccessible, test } from "./fixtures";
import { OwnServer } from "./own-server";

const secret = "whsec_of_this_spec";
let server: OwnServer;
let stripe: Stripe;

/** As much of Stripe as saving one card and charging it takes; its page to save a card goes straight back. */
class Stripe {
  private readonly http: Server;
  private session: Record<string, unknown> = {};
  declines = false;
  charges = 0;

  constructor(listening: () => void) {
    this.http = createServer((request, response) => {
      void body(request).then((form) => {
        const path = new URL(request.url ?? "/", "http://stripe.test").pathname;
        if (path === "/page") {
          this.session = { ...this.session, status: "complete", setup_intent: this.saved };
          response.writeHead(302, { location: String(this.session.success_url) }).end();
          return;
        }
        if (path === "/account") {
          response.end("back at the marketplace's public address");
          return;
        }
        const [status, found] = this.answer(`${request.method} ${path}`, form);
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(found));
      });
    }).listen(0, "127.0.0.1", listening);
  }

  readonly saved = {
    status: "succeeded",
    payment_method: { id: "pm_1", card: { brand: "visa", last4: "4242", exp_month: 12, exp_year: 2030 } },
  };

  get url() {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  stop() {
    this.http.close();
  }

  private answer(what: string, form: URLSearchParams): [number, unknown] {
    if (what === "POST /v1/customers") return [200, { id: "cus_1", object: "customer" }];
    if (what === "POST /v1/checkout/sessions") {
      const metadata = { account: form.get("metadata[account]") };
      const base = { id: "cs_1", object: "checkout.session", mode: "setup", status: "open", customer: "cus_1" };
      this.session = { ...base, payment_status: "no_payment_required", metadata, success_url: form.get("success_url") };
    }
    if (what.endsWith("checkout/sessions") || what.endsWith("/cs_1")) {
      return [200, { ...this.session, url: `${this.url}/page` }];
    }
    if (what === "POST /v1/payment_intents") {
      this.charges += 1;
      const metadata = { order: form.get("metadata[order]"), account: form.get("metadata[account]") };
      const amount = Number(form.get("amount"));
      const made = { id: `pi_${this.charges}`, object: "payment_intent", currency: "usd", metadata, amount };
      if (!this.declines) return [200, { ...made, status: "succeeded", amount_received: amount }];
      const refused = { ...made, status: "requires_payment_method" };
      const error = { type: "card_error", message: "no", code: "card_declined", decline_code: "insufficient_funds" };
      return [402, { error: { ...error, payment_intent: refused } }];
    }
    return [404, { error: { type: "invalid_request_error", message: what } }];
  }

  /** The signed event that a card was saved. */
  event() {
    const text = JSON.stringify({
      id: "evt_1",
      object: "event",
      type: "checkout.session.completed",
      data: { object: { id: "cs_1", object: "checkout.session" } },
    });
    const at = Math.floor(Date.now() / 1000);
    const mac = createHmac("sha256", secret).update(`${at}.${text}`).digest("hex");
    return { data: text, headers: { "stripe-signature": `t=${at},v1=${mac}`, "content-type": "application/json" } };
  }
}

async function body(request: IncomingMessage): Promise<URLSearchParams> {
  let text = "";
  for await (const piece of request) text += String(piece);
  return new URLSearchParams(text);
}

test.beforeAll(async () => {
  await new Promise<void>((ready) => {
    stripe = new Stripe(ready);
  });
  server = await OwnServer.start({
    STRIPE_SECRET_KEY: "sk_test_of_this_spec",
    STRIPE_WEBHOOK_SECRET: secret,
    MARKETPLACE_STRIPE_URL: stripe.url,
    MARKETPLACE_SITE: stripe.url,
  });
});

test.afterAll(() => {
  server.stop();
  stripe.stop();
});

test("a card is saved and charged only as was agreed, and a refusal switches it off until one agrees again", async ({
  page,
  request,
}) => {
  const ada = await server.account(request, "ada@example.com");
  await server.enter(page, ada, "/account");
  const section = page.getByRole("region", { name: "Automatic recharge" });
  await expect(section.getByText("Off. No card is saved.")).toBeVisible();
  await section.getByLabel("When less is left than ($)").fill("10");
  await section.getByLabel("at most a month ($)").fill("20");
  const consent = section.getByRole("checkbox", { name: /charged \$20 .* below \$10, at most \$20 / });
  await consent.check();
  await section.getByLabel("charge ($)", { exact: true }).fill("19");
  await expect(section.getByRole("checkbox", { name: /I agree/ })).not.toBeChecked(); // other amounts, another consent
  await section.getByLabel("charge ($)", { exact: true }).fill("20");
  await consent.check();
  await expectAccessible(page);
  await section.getByRole("button", { name: "Agree and save a card" }).click();
  await page.waitForURL(`${stripe.url}/account?card=saved`);
  expect(stripe.charges).toBe(0);

  const heard = await request.post(`${server.url}/api/v1/marketplace/payments/stripe`, stripe.event());
  expect(heard.status()).toBe(200);
  await server.enter(page, ada, "/account");
  await expect(section.getByText("visa 4242, 12/2030")).toBeVisible();
  await expect.poll(() => stripe.charges, { timeout: 25_000 }).toBe(1); // $5 is below $10
  await page.reload();
  await expect(section.getByText("$20.00 of at most $20.00")).toBeVisible();
  await expect(page.getByText("$25.00").first()).toBeVisible();
  await section.getByRole("button", { name: "Switch off" }).click();
  await expect(section.getByText("Saved card: visa 4242")).toBeVisible();

  stripe.declines = true;
  await section.getByLabel("When less is left than ($)").fill("100");
  await section.getByLabel("at most a month ($)").fill("100");
  await section.getByRole("checkbox", { name: /I agree/ }).check();
  await section.getByRole("button", { name: "Agree", exact: true }).click();
  await expect(section.getByText("On.")).toBeVisible();
  await section.getByRole("button", { name: "Delete the saved card" }).click();
  await expect(section.getByText("Off. No card is saved.")).toBeVisible();
  await expectAccessible(page);
  expect(stripe.charges).toBe(1); // ten minutes apart
});
