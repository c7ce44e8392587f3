// Every state of docs/states.md. A server that fails on demand is played by answering in its place.
const CHAT = "**/api/v1/agents/chat";
const MODELS = "**/api/v1/marketplace/models?*";
const QUESTION = "Review my retry loop and show a version that cannot hang.";

const refuse =
  (status, body, headers = {}) =>
  (route) =>
    route.fulfill({ status, headers, contentType: "application/json", body: JSON.stringify({ success: false, ...body }) });

const stream =
  (...events) =>
  (route) =>
    route.fulfill({
      contentType: "text/event-stream",
      body: events
        .map((event, index) => `id: ${index + 1}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
        .join(""),
    });

const start = {
  type: "start",
  request_id: "gen_0mwsf33xtm2z8lf6gji1ufm",
  run_id: "run_1",
  model: "smollm2-135m",
  provider: "local",
  conversation_id: "conv_1",
};
const PART = `The loop retries for ever, because nothing counts its turns. Three changes:

1. **Bound it.** Stop after five attempts, and say so.
2. **Wait longer each time**, with a little chance in it.`;

/** A question whose answer is what `serve` does; `says` must be on the page before the picture is taken. */
const asked =
  (serve, says, model = "claude-opus-4-5") =>
  async (page) => {
    await page.route(CHAT, serve);
    await page.goto(`/?model=${model}&pane=chat`);
    const composer = page.getByRole("textbox", { name: /^Message / });
    await composer.fill(QUESTION);
    await composer.press("Enter");
    await page.getByText(says).first().waitFor();
  };

const payment = asked(
  refuse(402, {
    error: "Insufficient balance",
    code: "payment_required",
    required: 17.5,
    available: 15,
    max_affordable_tokens: 21400,
    free_alternative: "smollm2-135m",
  }),
  "This answer needs up to $17.50",
);
const forbidden = asked(
  refuse(403, { error: "Needs another plan", code: "permission_denied", required_tier: "enterprise" }),
  "It needs the enterprise plan",
);
const gone = asked(
  refuse(404, { error: "Model not found", code: "model_not_found", nearest: ["claude-sonnet-4-5"] }),
  "is no longer offered",
);
const limited = asked(
  refuse(429, { error: "Slow down", code: "rate_limit_exceeded" }, { "Retry-After": "30" }),
  /Asking again by itself in \d+ s/,
);
const down = asked(refuse(502, { error: "anthropic did not answer.", code: "provider_unavailable" }), "is not answering");
const fallback = asked(
  stream(
    { type: "fallback", from: "claude-opus-4-5", to: "smollm2-135m", reason: "provider_unavailable" },
    start,
    { type: "delta", delta: PART },
    { type: "done", success: true, cost: 0, balance_remaining: 15, finish_reason: "stop" },
  ),
  "answered instead (provider unavailable)",
);
const cut = asked(
  stream(
    { ...start, model: "claude-opus-4-5", provider: "anthropic" },
    { type: "delta", delta: PART },
    { type: "error", error: "The provider closed the stream.", code: "provider_unavailable", cost: 0.00185, partial: true },
  ),
  /You were charged \$0\.00/,
);
const waiting = asked(() => {}, /Waiting|waiting/);
const expired = async (page) => {
  await page.route(CHAT, refuse(401, { error: "Invalid or expired token", code: "invalid_token" }));
  await page.goto("/?pane=chat");
  const composer = page.getByRole("textbox", { name: /^Message / });
  await composer.fill(QUESTION);
  await composer.press("Enter");
  await page.getByRole("dialog", { name: "Sign in" }).waitFor();
};
const loading = async (page) => {
  await page.route(MODELS, () => {});
  await page.goto("/marketplace");
  await page.getByText("Loading models…").waitFor({ state: "attached" });
};
const empty = async (page) => {
  await page.goto("/marketplace?q=zzzzqqqq&tier=free");
  await page.getByText("No model matches").waitFor();
};
const emptyChat = async (page) => {
  await page.goto("/chat");
  await page.getByText("Ask anything").waitFor();
};
const offline = async (page) => {
  await page.goto("/?pane=chat");
  await page.getByRole("textbox", { name: /^Message / }).fill(QUESTION);
  await page.context().setOffline(true);
  await page
    .getByText(/You are offline/)
    .first()
    .waitFor();
};
const busy = async (page) => {
  const body = { error: "Draining", code: "temporarily_unavailable", request_id: "req_0mwsf33xtm2z8lf6gji1ufm" };
  await page.route(MODELS, refuse(503, body));
  await page.goto("/marketplace");
  await page.getByText("The server is busy or restarting").waitFor();
};

export const stateShots = [
  { name: "state-loading", act: loading },
  { name: "state-loading-phone", small: true, act: loading },
  { name: "state-waiting", act: waiting },
  { name: "state-empty", act: empty },
  { name: "state-empty-chat", theme: "light", act: emptyChat },
  { name: "state-401", act: expired },
  { name: "state-401-phone", small: true, act: expired },
  { name: "state-402", act: payment },
  { name: "state-402-light", theme: "light", act: payment },
  { name: "state-402-high-contrast", theme: "hc-dark", act: payment },
  { name: "state-402-phone", small: true, act: payment },
  { name: "state-403", act: forbidden },
  { name: "state-404", act: gone },
  { name: "state-429", act: limited },
  { name: "state-503", act: busy },
  { name: "state-provider-down", act: down },
  { name: "state-fallback", act: fallback },
  { name: "state-cut", act: cut },
  { name: "state-cut-high-contrast-light", theme: "hc-light", act: cut },
  { name: "state-offline", act: offline },
  { name: "state-offline-phone", small: true, act: offline },
];
