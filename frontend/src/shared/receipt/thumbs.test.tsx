import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { memoryHost, TestHost } from "@/shared/lib/test-host";
import { reply, serve } from "@/shared/lib/test-server";
import { Thumbs } from "@/shared/receipt/thumbs";
import { ToastProvider } from "@/shared/ui/toast";

beforeEach(() => {
  serve({ "POST /generations/req_1/signal": () => reply({}) });
});

function show(onRefund?: () => void) {
  const host = memoryHost();
  host.storage.setItem("token", "t1");
  render(
    <TestHost host={host}>
      <ToastProvider>
        <Thumbs requestId="req_1" onRefund={onRefund} />
      </ToastProvider>
    </TestHost>,
  );
}

test("a bad answer that cost something is one click from its refund", async () => {
  const refund = vi.fn();
  show(refund);
  expect(screen.queryByRole("button", { name: /refund/ })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Bad answer" }));
  await userEvent.click(await screen.findByRole("button", { name: "Ask for a refund…" }));
  expect(refund).toHaveBeenCalledOnce();
});

test("nothing can be asked back of a free answer", async () => {
  show();
  await userEvent.click(screen.getByRole("button", { name: "Bad answer" }));
  expect(await screen.findByRole("combobox", { name: "Why it was bad" })).toBeVisible();
  expect(screen.queryByRole("button", { name: /refund/ })).toBeNull();
});
