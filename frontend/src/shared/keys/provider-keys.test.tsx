import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { memoryHost, TestHost } from "@/shared/lib/test-host";
import { reply, serve } from "@/shared/lib/test-server";
import { ProviderKeys } from "./provider-keys";

test("a saved key that the server can't read any more says what to do about it", async () => {
  const stored = { masked: "…0123", created_at: "2026-11-27T00:00:00Z", last_tested_at: null };
  const api_keys = [
    { provider: "openai", status: "needs_reentry", ...stored },
    { provider: "anthropic", status: "verified", ...stored },
  ];
  serve({ "GET /api-keys": () => reply({ api_keys }), "GET /providers": () => reply({ providers: [] }) });
  const host = memoryHost();
  host.storage.setItem("token", "t1");
  render(
    <TestHost host={host}>
      <ProviderKeys />
    </TestHost>,
  );
  const [lost, kept] = await screen.findAllByRole("listitem");
  expect(lost).toHaveTextContent("needs re-entry");
  expect(lost).toHaveTextContent("enter it again below");
  expect(kept).toHaveTextContent("verified");
  expect(kept).not.toHaveTextContent("again");
});
