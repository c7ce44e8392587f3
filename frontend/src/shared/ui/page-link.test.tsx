import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { TestHost } from "@/shared/lib/test-host";
import { PageLink } from "./page-link";

test("only a plain click stays in the page: a new tab, a window and a saved link are the browser's", () => {
  const follow = vi.fn();
  render(
    <TestHost>
      <PageLink to="/chat?chat=c1" onFollow={follow}>
        A chat
      </PageLink>
    </TestHost>,
  );
  const link = screen.getByRole("link", { name: "A chat" });
  expect(link.getAttribute("href")).toBe("/chat?chat=c1");
  for (const how of [{ ctrlKey: true }, { metaKey: true }, { shiftKey: true }, { altKey: true }, { button: 1 }]) {
    expect(fireEvent.click(link, how), JSON.stringify(how)).toBe(true);
  }
  expect(follow).not.toHaveBeenCalled();
  expect(fireEvent.click(link)).toBe(false);
  expect(follow).toHaveBeenCalledOnce();
});
