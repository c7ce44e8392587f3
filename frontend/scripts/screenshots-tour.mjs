// The story of docs/tour.md, in its order.
const TASK = "debug a flaky asyncio test in python";
const search = (page) => page.getByRole("textbox", { name: /search models/i });
const cards = (page) => page.getByRole("gridcell").first().waitFor();

/** The id of the stored chat whose title has a word. */
async function chatAbout(page, token, word) {
  const reply = await page.request.get("/api/v1/agents/conversations", { headers: { Authorization: `Bearer ${token}` } });
  const { conversations } = await reply.json();
  return (conversations.find(({ title }) => title.includes(word)) ?? conversations[0]).id;
}

const openChat =
  (path, word) =>
  async (page, { token }) => {
    await page.goto(`${path}?chat=${await chatAbout(page, token, word)}&model=smollm2-135m`);
    await page
      .getByRole("article", { name: /^Answer by/ })
      .first()
      .waitFor();
  };

async function picks(page) {
  await page.goto("/marketplace");
  await search(page).fill(TASK);
  await page.getByRole("button", { name: "Ask Q Assistant", exact: true }).click();
  await page.getByRole("region", { name: "Recommended for you" }).getByRole("button", { name: /^Try / }).first().waitFor();
}

async function modelPage(page) {
  await page.goto("/marketplace?view=claude-opus-4-5");
  await page.getByRole("region", { name: "Prices" }).waitFor();
}

async function comparison(page) {
  await page.goto("/marketplace?q=claude");
  await cards(page);
  for (const index of [0, 1, 2]) {
    await page
      .locator(`[data-cell="${index}"]`)
      .getByRole("button", { name: /^Compare / })
      .click();
  }
  await page
    .getByRole("region", { name: /chosen for comparison/i })
    .getByRole("button", { name: /^compare$/i })
    .click();
  await page.getByRole("dialog").getByRole("columnheader").first().waitFor();
}

async function cost(page) {
  await page.goto("/?model=claude-opus-4-5&pane=chat");
  await page.getByRole("textbox", { name: /^Message / }).fill("Review my retry loop and show a version that cannot hang.");
  await page.getByText(/^This message: /).waitFor();
}

async function receipt(page, given) {
  await openChat("/chat", "mutex")(page, given);
  await page.getByRole("button", { name: "What happened (receipt)" }).last().click();
  await page.getByRole("dialog").getByRole("table").or(page.getByRole("dialog").locator("dl")).first().waitFor();
}

const account = (page) => page.goto("/account").then(() => page.getByRole("table").first().waitFor());

export const tourShots = [
  { name: "workbench", act: openChat("/", "mutex") },
  { name: "workbench-light", theme: "light", act: openChat("/", "mutex") },
  {
    name: "tour",
    act: async (page) => {
      await page.goto("/?tour=1");
      await page.getByRole("region", { name: /^Guided tour/ }).waitFor();
      await cards(page);
    },
  },
  {
    name: "marketplace",
    height: 620,
    act: async (page) => {
      await page.goto("/marketplace");
      await cards(page);
    },
  },
  { name: "assistant", height: 640, act: picks },
  { name: "model", theme: "light", act: modelPage },
  { name: "compare", act: comparison },
  { name: "cost", act: cost },
  { name: "chat", act: openChat("/chat", "mutex") },
  { name: "receipt", act: receipt },
  { name: "account", act: account },
  {
    name: "connect",
    act: async (page) => {
      await page.goto("/connect");
      await page.getByRole("tab", { name: "Continue" }).waitFor();
    },
  },
  {
    name: "phone-marketplace",
    small: true,
    act: async (page) => {
      await page.goto("/");
      await cards(page);
    },
  },
  { name: "phone-chat", small: true, act: openChat("/chat", "mutex") },
  {
    name: "high-contrast",
    theme: "hc-dark",
    act: openChat("/", "mutex"),
  },
];
