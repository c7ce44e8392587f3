import { describe, expect, it } from "vitest";
import { safeLink } from "./safe-url";

describe("safeLink", () => {
  it("lets web and mail addresses through and names where they lead", () => {
    expect(safeLink("https://example.com/a?b#c")).toEqual({ href: "https://example.com/a?b#c", label: "example.com" });
    expect(safeLink("mailto:a@example.com")).toEqual({ href: "mailto:a@example.com", label: "a@example.com" });
  });

  it("is not deceived by names and letters that look like another host", () => {
    expect(safeLink("https://bank.example@evil.example/")?.label).toBe("evil.example");
    expect(safeLink("https://аpple.com/")?.label).toMatch(/^xn--/);
  });

  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    " javascript:alert(1)",
    "\u0001javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://example.com/x",
    "command:workbench.action.terminal.new",
    "vscode://file/etc",
    "//evil.example",
    "/account",
    "#x",
    "",
    undefined,
    null,
    {},
  ])("refuses %j", (address) => {
    expect(safeLink(address)).toBeNull();
  });
});
