import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { memoryHost, TestHost } from "@/shared/lib/test-host";
import { refusal, reply, serve } from "@/shared/lib/test-server";
import { Questions } from "./questions";
import type { Question } from "./runs-api";

const question: Question = {
  approval_id: "apr_1",
  run_id: "run_1",
  step: 1,
  name: "mail__send",
  arguments: '{"to": "everybody"}',
  subject: "a".repeat(64),
  most: 0,
  expires_at: "2026-12-01T00:00:00Z",
};

function show() {
  const host = memoryHost();
  host.storage.setItem("token", "t");
  render(
    <QueryClientProvider client={new QueryClient()}>
      <TestHost host={host}>
        <Questions questions={[question]} />
      </TestHost>
    </QueryClientProvider>,
  );
}

it("shows the very call, and an answer names what was shown", async () => {
  const calls = serve({ "POST /runs/run_1/approve": () => reply({ run: {} }) });
  show();
  expect(screen.getByText('{"to": "everybody"}')).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Allow this call" }));
  await waitFor(() => expect(calls).toHaveLength(1));
  expect(calls[0]?.body).toEqual({ answers: [{ approval_id: "apr_1", subject: question.subject, allow: true }] });
});

it("says so when the call is not what was shown any more", async () => {
  serve({ "POST /runs/run_1/approve": () => refusal(409, { error: "This was answered", code: "approval_stale" }) });
  show();
  fireEvent.click(screen.getByRole("button", { name: "Refuse" }));
  expect(await screen.findByRole("alert")).toHaveProperty("textContent", "This was answered");
});
