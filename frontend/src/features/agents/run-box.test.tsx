import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { memoryHost, TestHost } from "@/shared/lib/test-host";
import { reply, serve } from "@/shared/lib/test-server";
import { RunBox } from "./run-box";

function show() {
  const host = memoryHost();
  host.storage.setItem("token", "t");
  return render(
    <QueryClientProvider client={new QueryClient()}>
      <TestHost host={host}>
        <RunBox model="Reckoner" name="agt_1" cap="0.5" starters={[]} />
      </TestHost>
    </QueryClientProvider>,
  );
}

/** A run that goes on until it is stopped; the paths that were asked for. */
function underWay() {
  let end: (run: Response) => void = () => undefined;
  const started = new Promise<Response>((resolve) => {
    end = resolve;
  });
  const calls = serve({
    "POST /runs": () => started,
    "POST /cancel": () => reply({ stopped: true }),
  });
  return { calls, end };
}

function ask() {
  fireEvent.change(screen.getByLabelText("Ask Reckoner"), { target: { value: "6 times 7" } });
  fireEvent.click(screen.getByRole("button", { name: "Run" }));
}

it("stops the run itself, and says that it was stopped", async () => {
  const { calls, end } = underWay();
  show();
  ask();
  fireEvent.click(await screen.findByRole("button", { name: "Stop" }));
  await waitFor(() => expect(calls).toHaveLength(2));
  const id = (calls[0]?.body as { run_id: string } | undefined)?.run_id;
  expect(id).toMatch(/^run_[0-9a-f]{32}$/);
  expect(calls[1]?.route).toContain(`/runs/${id}/cancel`);
  end(reply({ run: { run_id: id, state: "cancelled", stop_reason: "cancelled", result: "", spent: 0 } }));
  expect(await screen.findByText("You stopped it.")).toBeTruthy();
});

it("does not leave a run at work when its page is left", async () => {
  const { calls } = underWay();
  const { unmount } = show();
  ask();
  await screen.findByRole("button", { name: "Stop" });
  unmount();
  await waitFor(() => expect(calls).toHaveLength(2));
  expect(calls[1]?.route).toContain("/cancel");
});
