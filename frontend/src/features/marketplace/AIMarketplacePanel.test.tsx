import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { createBrowserHost } from "@/hosts/browser";
import type { Model } from "@/shared/api/types";
import { AIMarketplacePanel } from "./AIMarketplacePanel";
import { model } from "./test-models";

const models = [
  model({ id: "alpha", name: "Alpha", prices: { input: "2.5", output: "10" } }),
  model({ id: "beta", name: "Beta", pricing_tier: "free", prices: { input: "0", output: "0" }, cost_per_1k: 0 }),
];

function serve(replies: Record<string, (body: unknown) => [number, unknown]>) {
  const fetch = vi.fn(async (url: string, init: RequestInit) => {
    const path = url.split("?")[0] ?? "";
    const [status, body] = replies[path]?.(init.body ? JSON.parse(String(init.body)) : null) ?? [
      404,
      { success: false, error: path },
    ];
    return new Response(JSON.stringify(body), { status });
  });
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

const list = (): [number, unknown] => [
  200,
  { success: true, models, count: 2, total: 2, facets: { tier: {}, capability: {}, provider: {} } },
];

beforeEach(() => {
  window.localStorage.clear();
  // happy-dom lays nothing out; the virtual grid needs a height to show rows in.
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(800);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(400);
});

function show(onSelectModel: (chosen: Model, options?: { task?: string }) => void = () => {}) {
  render(<AIMarketplacePanel host={createBrowserHost()} onSelectModel={onSelectModel} />);
}

test("stands alone with nothing but a host, and tells each price", async () => {
  serve({ "/api/v1/marketplace/models": list });
  show();
  const alpha = await screen.findByRole("link", { name: "Alpha" });
  const cell = within(alpha.closest<HTMLElement>('[role="gridcell"]') ?? document.body);
  expect(cell.getByText("$2.50")).toBeInTheDocument();
  expect(cell.getByText("$10.00")).toBeInTheDocument();
});

test("a star survives for a visitor who has no account yet", async () => {
  serve({ "/api/v1/marketplace/models": list });
  show();
  await userEvent.click(await screen.findByRole("button", { name: "Add Beta to favourites" }));
  expect(screen.getByRole("button", { name: "Remove Beta from favourites" })).toHaveAttribute("aria-pressed", "true");
  expect(window.localStorage.getItem("marketplace.favourites")).toBe('["beta"]');
});

test("a question of Q Assistant is shown, its pick carries the task on, and a blocked one says which key it needs", async () => {
  window.localStorage.setItem("token", "a-token");
  const [alpha, beta] = models;
  const fetch = serve({
    "/api/v1/marketplace/models": list,
    "/api/v1/marketplace/recommendations": () => [
      200,
      {
        success: true,
        analysis: { type: "debugging", confidence: 0.4, keywords: [], uncertain: true, question: "Code or an error?" },
        recommendations: [
          {
            model: beta,
            rank: 1,
            reasoning: "It is free",
            reasons: ["It is free"],
            score: 7,
            estimated_cost: 0.01,
            cost_range: { p50: 0.01, p95: 0.05 },
            is_available: true,
            gives_up: "Speed",
          },
        ],
        blocked: [
          {
            model: alpha,
            provider: "openai",
            missing: "no key for openai is configured",
            score: 9,
            estimated_cost: null,
            reason: "Best at code",
          },
        ],
      },
    ],
  });
  const chosen = vi.fn();
  show(chosen);
  await userEvent.type(screen.getByRole("textbox", { name: /describe your task/ }), "fix my test{Enter}");
  const picks = within(await screen.findByRole("region", { name: "Recommended for you" }));
  expect(await picks.findByText("Code or an error?", { exact: false })).toBeInTheDocument();
  expect(picks.getByText(/About \$0.01/)).toHaveTextContent("About $0.01, rarely over $0.05");
  expect(picks.getByRole("button", { name: "Add a key for OpenAI" })).toBeInTheDocument();
  await userEvent.click(picks.getByRole("button", { name: "Try Beta" }));
  expect(chosen).toHaveBeenCalledWith(beta, { task: "fix my test" });
  await userEvent.click(picks.getByRole("button", { name: "Lowest cost" }));
  await waitFor(() => expect(String(fetch.mock.calls.at(-1)?.[1].body)).toContain('"priority":"cost"'));
});
