import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AUTO } from "@/features/chat/models/models";
import { errorFromBody } from "@/shared/api/errors";
import { memoryHost, TestHost } from "@/shared/lib/test-host";
import { serve } from "@/shared/lib/test-server";
import { CutCard } from "./cut-card";
import { EmptyChat } from "./empty-chat";
import { FallbackNote } from "./fallback-note";
import { LoadingChat } from "./loading";
import { OfflineBanner } from "./offline-banner";
import { ProblemCard } from "./problem-card";
import { Waiting } from "./waiting";

function problem(status: number, body: object, fields: { retried?: boolean; retryAfter?: number } = {}) {
  const onRetry = vi.fn();
  const onPickModel = vi.fn();
  render(
    <TestHost>
      <ProblemCard
        error={errorFromBody(status, body, fields.retryAfter)}
        modelName="GPT-4"
        retried={fields.retried ?? false}
        onRetry={onRetry}
        onPickModel={onPickModel}
      />
    </TestHost>,
  );
  return { onRetry, onPickModel };
}

const click = (name: string | RegExp) => userEvent.click(screen.getByRole("button", { name }));

// No network: a model that is not known is called by its id.
beforeEach(() => {
  serve({});
});
afterEach(() => {
  vi.useRealTimers();
});

describe("402", () => {
  const body = { required: 0.04, available: 0.01, max_affordable_tokens: 120, free_alternative: "demo" };

  it("says what is missing and offers the same question for free with one click", async () => {
    const { onRetry } = problem(402, body);
    expect(screen.getByRole("alert")).toHaveTextContent("needs up to $0.04; you have $0.01");
    expect(screen.getByRole("alert")).toHaveTextContent("Nothing was charged and your question is kept");
    await click("Ask demo for free");
    expect(onRetry).toHaveBeenCalledWith({ model: "demo" });
  });

  it("offers a shorter answer that the balance pays", async () => {
    const { onRetry } = problem(402, body);
    await click(/Shorter answer \(up to 120 tokens\)/);
    expect(onRetry).toHaveBeenCalledWith({ maxTokens: 120 });
  });

  it("does not offer an answer of a few words", () => {
    problem(402, { ...body, max_affordable_tokens: 3 });
    expect(screen.queryByRole("button", { name: /Shorter/ })).toBeNull();
  });

  it("leads to a cheaper model and to one's own key", async () => {
    const { onPickModel } = problem(402, {});
    await click("Choose a cheaper model");
    expect(onPickModel).toHaveBeenCalled();
    expect(screen.getByRole("button", { name: "Use my own provider key" })).toBeInTheDocument();
  });
});

describe("401, 403, 404", () => {
  it("401 offers to sign in and says that the question is kept", () => {
    problem(401, {});
    expect(screen.getByRole("alert")).toHaveTextContent("Your question is kept");
    expect(screen.getByRole("button", { name: "Sign in" })).toBeInTheDocument();
  });

  it("403 names the plan that is needed", () => {
    problem(403, { required_tier: "pro" });
    expect(screen.getByRole("alert")).toHaveTextContent("Your plan does not include GPT-4");
    expect(screen.getByRole("alert")).toHaveTextContent("It needs the pro plan");
  });

  it("404 offers the nearest model with the same question", async () => {
    const { onRetry } = problem(404, { nearest: [{ id: "gpt4o", name: "GPT-4o" }] });
    await click("Ask GPT-4o");
    expect(onRetry).toHaveBeenCalledWith({ model: "gpt4o" });
  });
});

describe("429", () => {
  it("counts down and asks again by itself, once", () => {
    vi.useFakeTimers();
    const { onRetry } = problem(429, {}, { retryAfter: 2 });
    expect(screen.getByText("Asking again by itself in 2 s.")).toBeInTheDocument();
    act(() => vi.advanceTimersByTime(1250));
    expect(screen.getByText("Asking again by itself in 1 s.")).toBeInTheDocument();
    act(() => vi.advanceTimersByTime(5000));
    expect(onRetry).toHaveBeenCalledTimes(1);
    expect(onRetry).toHaveBeenCalledWith({ automatic: true });
  });

  it("after that leaves it to the person", () => {
    vi.useFakeTimers();
    const { onRetry } = problem(429, {}, { retryAfter: 1, retried: true });
    act(() => vi.advanceTimersByTime(5000));
    expect(onRetry).not.toHaveBeenCalled();
    expect(screen.getByText("It should work again now.")).toBeInTheDocument();
  });
});

describe("a provider that fails", () => {
  it("names the model, says that nothing was charged, and offers both ways on", async () => {
    const { onRetry, onPickModel } = problem(502, { error: "openai did not answer." });
    expect(screen.getByRole("alert")).toHaveTextContent("GPT-4 is not answering");
    expect(screen.getByRole("alert")).toHaveTextContent("Nothing was charged");
    await click("Try again");
    await click("Choose another model");
    expect(onRetry).toHaveBeenCalledOnce();
    expect(onPickModel).toHaveBeenCalledOnce();
  });

  it("says by name who answered instead", () => {
    render(
      <TestHost>
        <FallbackNote fallback={{ from: "gpt4", to: "demo", reason: "provider_unavailable" }} />
      </TestHost>,
    );
    expect(screen.getByText(/gpt4 did not answer; demo answered instead \(provider unavailable\)/)).toBeInTheDocument();
  });

  it("a cut answer says what was charged and goes on from there", async () => {
    const onContinue = vi.fn();
    render(
      <CutCard reason="The provider closed the stream." cost={0.002} onContinue={onContinue} onRegenerate={() => {}} />,
    );
    expect(screen.getByRole("status")).toHaveTextContent("You were charged $0.002 for what came");
    await click("Continue");
    expect(onContinue).toHaveBeenCalledOnce();
  });
});

describe("waiting, loading, empty, offline", () => {
  it("says after ten seconds that it still waits, and lets go on demand", async () => {
    vi.useFakeTimers();
    const onStop = vi.fn();
    render(<Waiting modelName="GPT-4" onStop={onStop} />);
    expect(screen.queryByRole("button")).toBeNull();
    act(() => vi.advanceTimersByTime(10_000));
    expect(screen.getByRole("status")).toHaveTextContent("Still waiting for GPT-4.");
    act(() => screen.getByRole("button", { name: "Cancel" }).click());
    expect(onStop).toHaveBeenCalledOnce();
  });

  it("a chat that is loading says so to those who do not see its shape", () => {
    render(<LoadingChat />);
    expect(screen.getByRole("status")).toHaveTextContent("Loading the chat");
  });

  it("an empty chat has a first step", async () => {
    const onStart = vi.fn();
    render(<EmptyChat model={AUTO} temporary={false} onStart={onStart} />);
    await click(/race condition/);
    expect(onStart).toHaveBeenCalledWith(expect.stringContaining("race condition"));
  });

  it("the offline banner comes and goes with the connection", () => {
    const online = vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    render(
      <TestHost host={memoryHost({ kind: "element" })}>
        <OfflineBanner />
      </TestHost>,
    );
    expect(screen.getByRole("status")).toHaveTextContent("Drafts are kept");
    online.mockReturnValue(true);
    act(() => window.dispatchEvent(new Event("online")));
    expect(screen.queryByRole("status")).toBeNull();
  });

  it("without a connection the question is kept", () => {
    problem(0, { code: "offline", error: "No connection to the server." });
    expect(screen.getByRole("alert")).toHaveTextContent("Your question is kept");
  });
});
