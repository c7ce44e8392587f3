import { render, screen } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { memoryHost } from "@/shared/lib/test-host";
import { WorkbenchLayout } from "./workbench-layout";

let width = 0;

beforeEach(() => {
  vi.stubGlobal("matchMedia", (query: string) => ({
    matches: width >= Number(/min-width: (\d+)px/.exec(query)?.[1]),
    addEventListener: () => {},
    removeEventListener: () => {},
  }));
});

const layout = (pane: "editor" | "market" | "chat") => (
  <WorkbenchLayout
    storage={memoryHost().storage}
    pane={pane}
    onPane={() => {}}
    editor={<p>the editor</p>}
    market={<p>the market</p>}
    chat={<p>the chat</p>}
  />
);

it("a phone does not fetch the panes that nobody has looked at, and keeps those that somebody has", () => {
  width = 390;
  const { rerender } = render(layout("market"));
  expect(screen.getByText("the market")).toBeVisible();
  expect(screen.queryByText("the editor")).toBeNull();
  expect(screen.queryByText("the chat")).toBeNull();
  rerender(layout("chat"));
  expect(screen.getByText("the chat")).toBeVisible();
  expect(screen.getByText("the market")).toBeInTheDocument();
  expect(screen.queryByText("the editor")).toBeNull();
});

it("where there is room all three are there at once", () => {
  width = 1440;
  render(layout("market"));
  for (const name of ["the editor", "the market", "the chat"]) expect(screen.getByText(name)).toBeVisible();
});
