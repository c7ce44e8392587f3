import { composer, signedIn } from "./chat-support";
import { expect, test } from "./fixtures";

const ANSWER_BYTES = 24_000;
/** Twice what a fast model writes: the same text in half the time, and each frame has more to do, not less. */
const TOKENS_PER_SECOND = 600;
const MESSAGES = 200;

/** In the page: a chat of 200 messages and a model that writes 24 kB at 300 tokens a second. All else is the real server. */
function scriptServer({ bytes, speed, messages }: { bytes: number; speed: number; messages: number }): void {
  const paragraph =
    "The quick brown fox jumps over **the lazy dog**, and `code` stands in [a link](https://example.com/x).\n\n";
  const code = `\`\`\`python\n${"def add(a: int, b: int) -> int:\n    return a + b  # sum\n\n".repeat(12)}\`\`\`\n\n`;
  const list = "- one\n- two with *emphasis*\n- three\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n";
  let text = "";
  while (text.length < bytes) text += paragraph.repeat(3) + code + list;
  text = text.slice(0, bytes);
  const stored = Array.from({ length: messages }, (_, index) => ({
    id: `m${index}`,
    parent_id: index ? `m${index - 1}` : null,
    role: index % 2 ? "assistant" : "user",
    content: index % 2 ? paragraph + list + (index % 10 === 1 ? code : "") : `Question ${index}`,
    model: "smollm2-135m",
    provider: "local",
    status: "complete",
    cost: 0,
  }));
  const json = (body: object) => Response.json({ success: true, ...body });
  const stream = () => {
    const encoder = new TextEncoder();
    const event = (type: string, data: object) =>
      encoder.encode(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
    let at = 0;
    return new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(
            event("start", {
              request_id: "g",
              run_id: "r",
              model: "smollm2-135m",
              provider: "local",
              conversation_id: "long",
              message_id: "new",
              user_message_id: "newq",
            }),
          );
          const timer = setInterval(() => {
            const piece = Math.ceil(((speed * 4) / 1000) * 20);
            controller.enqueue(event("delta", { delta: text.slice(at, at + piece) }));
            at += piece;
            if (at < text.length) return;
            clearInterval(timer);
            controller.enqueue(
              event("done", { success: true, result: text, cost: 0, balance_remaining: 5, finish_reason: "stop" }),
            );
            controller.close();
          }, 20);
        },
      }),
      { headers: { "Content-Type": "text/event-stream" } },
    );
  };
  const real = window.fetch.bind(window);
  window.fetch = async (input, init) => {
    const url = String(input instanceof Request ? input.url : input);
    if (url.includes("/agents/conversations/long"))
      return json({ conversation: { id: "long", title: "Long", model: "smollm2-135m", updated_at: "" }, messages: stored });
    if (url.endsWith("/agents/chat")) return stream();
    return real(input, init);
  };
}

interface TraceEvent {
  name: string;
  ph: string;
  tid: number;
  /** Microseconds on the processor: unlike `dur`, it says nothing about what else this machine was doing. */
  tdur?: number;
}

/** Milliseconds of processor time of the page's longest task. */
function longestTask(trace: string): number {
  const { traceEvents } = JSON.parse(trace) as { traceEvents: TraceEvent[] };
  const frames = traceEvents.filter((event) => event.name === "FireAnimationFrame");
  const threads = [...new Set(frames.map((event) => event.tid))];
  const count = (thread: number) => frames.filter((event) => event.tid === thread).length;
  const main = threads.sort((a, b) => count(b) - count(a))[0];
  const tasks = traceEvents.filter((event) => event.name === "RunTask" && event.ph === "X" && event.tid === main);
  expect(tasks.length, "tasks in the trace").toBeGreaterThan(100);
  return Math.max(...tasks.map((event) => (event.tdur ?? 0) / 1000));
}

// The test runner's own recorder would be measured too.
test.use({ trace: "off" });

// A guard, not the measurement: the goal is 50 ms on a machine at rest; a page that draws the whole chat anew with each piece is far beyond this.
const GUARD_MS = 200;

test("no long task while 24 kB stream into a chat of 200 messages", async ({ page, request, browser }) => {
  test.setTimeout(120_000);
  await signedIn(page, request);
  await page.addInitScript(scriptServer, { bytes: ANSWER_BYTES, speed: TOKENS_PER_SECOND, messages: MESSAGES });
  await page.goto("/chat?chat=long");
  await expect(page.getByText("Question 198")).toBeVisible();
  expect(await page.getByRole("article").count()).toBeLessThan(40);
  await composer(page).fill("Go on");
  await browser.startTracing(page, { categories: ["devtools.timeline", "disabled-by-default-devtools.timeline"] });
  await composer(page).press("Enter");
  // Selectors by role would walk the whole page at each look, and be measured too.
  await page.waitForSelector("[role=log][aria-busy=true]");
  await page.waitForSelector("[role=log][aria-busy=false]", { timeout: 60_000 });
  const trace = (await browser.stopTracing()).toString();
  const longest = longestTask(trace);
  test.info().annotations.push({ type: "longest task", description: `${longest.toFixed(1)} ms of processor time` });
  expect(longest).toBeLessThan(GUARD_MS);
});
