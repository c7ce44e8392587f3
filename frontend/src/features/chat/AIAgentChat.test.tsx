import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Host } from "@/hosts/host";
import { memoryHost } from "@/shared/lib/test-host";
import { events, type Routes, refusal, reply, serve } from "@/shared/lib/test-server";
import { AIAgentChat } from "./AIAgentChat";

const start = { type: "start", request_id: "gen_1", run_id: "r", model: "demo", provider: "local", conversation_id: "c1" };
const done = {
  type: "done",
  success: true,
  cost: 0.0031,
  balance_remaining: 4.99,
  finish_reason: "stop",
  usage: { input_tokens: 5, output_tokens: 212 },
  timings: { first_token_ms: 120, total_ms: 4000 },
};
const answer =
  (text: string, turn = 1) =>
  () =>
    events(
      { ...start, user_message_id: `q${turn}`, message_id: `a${turn}` },
      { type: "delta", delta: text },
      { ...done, result: text, model: "demo", provider: "local" },
    );

function open(routes: Routes, host: Host = signedIn(), props: { conversationId?: string } = {}) {
  const calls = serve({
    "GET /billing/balance": () => reply({ balance: 5, available: 5, held: 0, currency: "USD" }),
    "GET /conversations": () => reply({ conversations: [], next_cursor: null }),
    "GET /models/demo": () =>
      reply({ model: { id: "demo", name: "Demo", provider: "local", capabilities: ["text"], is_available: true } }),
    "POST /estimate": () =>
      reply({ estimate: { p50: 0.001, p95: 0.002, maximum: 0.01, input_tokens: 7 }, affordable: true }),
    ...routes,
  });
  const view = render(<AIAgentChat host={host} {...props} />);
  return { calls, host, ...view };
}

/** The same browser's storage, and a way to sign out in another of its tabs. */
function twoTabs(): { host: Host; signOutElsewhere: () => void } {
  const host = signedIn();
  const listeners: (() => void)[] = [];
  const storage = {
    ...host.storage,
    subscribe: (_key: string, listener: () => void) => {
      listeners.push(listener);
      return () => {};
    },
  };
  const signOutElsewhere = () => {
    storage.removeItem("token");
    for (const listener of listeners) listener();
  };
  return { host: { ...host, storage }, signOutElsewhere };
}

function signedIn(): Host {
  const host = memoryHost();
  host.storage.setItem("token", "t1");
  host.storage.setItem("marketplace.chat.model", "demo");
  return host;
}

const box = () => screen.getByRole("textbox", { name: /^Message / });
const ask = (text: string) => userEvent.type(box(), `${text}{Enter}`);

describe("AIAgentChat", () => {
  it("shows the answer with who wrote it, what it cost and how fast it came", async () => {
    open({ "POST /chat": answer("Hello **there**.") });
    await ask("Hi");
    const article = await screen.findByRole("article", { name: "Answer by Demo" });
    await waitFor(() => expect(article).toHaveTextContent("Hello there."));
    expect(article).toHaveTextContent("Demo · This computer");
    expect(article).toHaveTextContent("5 in · 212 out · $0.0031 · 120 ms to first token · 54 tokens/s");
    expect(box()).toHaveValue("");
  });

  it("says the end of an answer to those who listen", async () => {
    open({ "POST /chat": answer("Hello there.") });
    await ask("Hi");
    const log = await screen.findByRole("log", { name: "Conversation" });
    await waitFor(() => expect(log).toHaveTextContent("Hello there. Answer complete, 212 tokens, $0.0031"));
  });

  it("shows the cost before sending, and what is missing on the button", async () => {
    open({
      "POST /estimate": () => reply({ estimate: { p50: 0.01, p95: 7, maximum: 9, input_tokens: 7 }, affordable: false }),
    });
    await userEvent.type(box(), "Hi");
    expect(await screen.findByText(/about \$0.01, rarely over \$7.00/, {}, { timeout: 3000 })).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Needs $7.00, you have $5.00" })).toBeInTheDocument();
  });

  it("makes an agent, which is then asked by its id and named in the header", async () => {
    const made: object[] = [];
    const { calls } = open({
      "GET /agents": () => reply({ agents: made }),
      "GET /models": () => reply({ models: [] }),
      "POST /agents": (body) => {
        made.push({ ...(body as object), id: "agt_1", version: 1, updated_at: "2026-11-27T00:00:00Z" });
        return reply({ agent: made[0] });
      },
      "POST /chat": answer("Aye."),
    });
    await userEvent.click(screen.getByRole("button", { name: "More actions" }));
    await userEvent.click(await screen.findByRole("menuitem", { name: "Your agents…" }));
    await userEvent.click(await screen.findByRole("button", { name: "New agent" }));
    await userEvent.type(screen.getByLabelText("Name"), "Pirate");
    await userEvent.type(screen.getByLabelText("Instructions"), "Talk like a pirate");
    await userEvent.type(screen.getByLabelText("Temperature"), "0.5");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    await userEvent.click(await screen.findByRole("button", { name: "Chat with Pirate" }));
    expect(made).toMatchObject([
      { name: "Pirate", model: "demo", instructions: "Talk like a pirate", parameters: { temperature: 0.5 } },
    ]);
    expect(screen.getByTitle("Change the model")).toHaveTextContent("Pirate· Demo");
    await ask("Hi");
    await screen.findByRole("article", { name: "Answer by Demo" });
    expect(calls.find(({ route }) => route === "POST /chat")?.body).toMatchObject({ model: "agt_1", message: "Hi" });
  });

  it("shows nothing of a user's chats any more once they have signed out in another tab", async () => {
    const { host, signOutElsewhere } = twoTabs();
    open(
      {
        "POST /chat": answer("A secret."),
        "GET /conversations": () =>
          reply({ conversations: [{ id: "c9", title: "Private matters", messages: 2 }], next_cursor: null }),
      },
      host,
    );
    await ask("Hi");
    await screen.findByText("A secret.");
    await userEvent.click(screen.getByRole("button", { name: "Chat history" }));
    await screen.findByRole("link", { name: "Private matters" });
    act(signOutElsewhere);
    await waitFor(() => expect(screen.queryByText("A secret.")).not.toBeInTheDocument());
    expect(screen.queryByRole("link", { name: "Private matters" })).not.toBeInTheDocument();
  });

  it("answers a 402 with the same question asked of a free model", async () => {
    let turn = 0;
    const { calls } = open({
      "POST /chat": () => {
        turn += 1;
        return turn === 1
          ? refusal(402, {
              error: "Insufficient balance",
              code: "payment_required",
              required: 9,
              available: 5,
              free_alternative: "demo",
            })
          : answer("Free!")();
      },
    });
    await ask("Hi");
    await userEvent.click(await screen.findByRole("button", { name: "Ask demo for free" }));
    expect(await screen.findByText("Free!")).toBeInTheDocument();
    const sent = calls.filter((call) => call.route === "POST /chat").map((call) => call.body as { message: string });
    expect(sent.map(({ message }) => message)).toEqual(["Hi", "Hi"]);
    expect(screen.getAllByRole("article", { name: "Your message" })).toHaveLength(1);
  });

  it("keeps the draft of a chat over a reload", async () => {
    const { host, unmount } = open({});
    await userEvent.type(box(), "half a thou");
    unmount();
    open({}, { ...host });
    expect(box()).toHaveValue("half a thou");
  });

  it("keeps the question when nobody signs in", async () => {
    const host = memoryHost();
    open({}, host);
    await ask("precious");
    expect(host.storage.getItem("marketplace.chat.@.draft.new.tab-1")).toBe("precious");
  });

  it("switches between the versions of an edited question", async () => {
    let turn = 0;
    open({
      "POST /chat": () => {
        turn += 1;
        return answer(`answer ${turn}`, turn)();
      },
    });
    await ask("first");
    await screen.findByText("answer 1");
    await userEvent.click(screen.getByRole("button", { name: "Edit message" }));
    const editor = screen.getByRole("textbox", { name: "Edit message" });
    await userEvent.clear(editor);
    await userEvent.type(editor, "second{Enter}");
    await screen.findByText("answer 2");
    const question = screen.getByRole("article", { name: "Your message" });
    expect(question).toHaveTextContent("2/2");
    await userEvent.click(within(question).getByRole("button", { name: "Previous message" }));
    expect(await screen.findByText("answer 1")).toBeInTheDocument();
    expect(screen.queryByText("answer 2")).toBeNull();
  });

  it("stops at once, before the first token too", async () => {
    const { calls } = open({
      "POST /chat": (_body, init) =>
        new Promise((_, reject) => {
          init.signal?.addEventListener("abort", () => reject(new DOMException("Stopped", "AbortError")));
        }),
    });
    await ask("long");
    await userEvent.click(await screen.findByRole("button", { name: "Stop the answer" }));
    expect(screen.getByText("You stopped this answer before it began.")).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Send" })).toBeInTheDocument();
    await waitFor(() => expect(calls.some((call) => /POST \/runs\/run_[0-9a-f]{32}\/stop/.test(call.route))).toBe(true));
  });

  it("offers commands while they are typed and runs them", async () => {
    open({});
    await userEvent.type(box(), "/sy");
    expect(screen.getByRole("option", { name: /\/system/ })).toHaveAttribute("aria-selected", "true");
    await userEvent.keyboard("{Tab}Answer in French{Enter}");
    expect(screen.getByText("Instructions")).toHaveAttribute("title", "Answer in French");
    expect(box()).toHaveValue("");
  });

  it("says what it cannot send to a model without eyes", async () => {
    open({});
    await screen.findByRole("textbox", { name: "Message Demo" });
    const file = new File(["x"], "cat.png", { type: "image/png" });
    const data = { getData: () => "", files: [file], items: [], types: ["Files"] };
    act(() => {
      const paste = new Event("paste", { bubbles: true }) as Event & { clipboardData: unknown };
      paste.clipboardData = data;
      box().dispatchEvent(paste);
    });
    expect(await screen.findByText(/Demo does not take images/)).toBeInTheDocument();
  });

  it("says when a stored chat is gone", async () => {
    open({}, signedIn(), { conversationId: "gone" });
    expect(await screen.findByText("This chat does not exist any more")).toBeInTheDocument();
    expect(screen.getAllByRole("button", { name: "New chat" }).length).toBeGreaterThan(0);
  });

  it("leaves a new chat its draft where a chat that is gone is left or asked in", async () => {
    for (const leave of [() => userEvent.click(newChats()[0] as HTMLElement), () => ask("Hi")]) {
      const { host, rerender, unmount } = open({ "POST /chat": () => new Promise<Response>(() => {}) });
      await userEvent.type(box(), "half a thou");
      rerender(<AIAgentChat host={host} conversationId="gone" />);
      await screen.findByText("This chat does not exist any more");
      expect(box()).toHaveValue("");
      await leave();
      rerender(<AIAgentChat host={host} conversationId={null} />);
      await waitFor(() => expect(box()).toHaveValue("half a thou"));
      unmount();
    }
  });
});

const newChats = () => screen.getAllByRole("button", { name: "New chat" });
