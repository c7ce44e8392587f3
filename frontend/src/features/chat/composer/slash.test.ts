import { describe, expect, it } from "vitest";
import { parseCommand, suggestCommands } from "./slash";

describe("slash commands", () => {
  it("reads a command with its argument", () => {
    expect(parseCommand("/system  Answer in\nFrench ")).toEqual({ name: "system", argument: "Answer in\nFrench" });
    expect(parseCommand("/clear")).toEqual({ name: "clear", argument: "" });
  });

  it.each(["/etc/passwd is missing", "/unknown", "/ model", "say /clear", "//clear", "/modelx"])(
    "sends %j as a message instead of swallowing it",
    (draft) => {
      expect(parseCommand(draft)).toBeNull();
    },
  );

  it("offers what the typed letters begin", () => {
    expect(suggestCommands("/c")).toEqual(["clear", "cost"]);
    expect(suggestCommands("/")).toHaveLength(7);
    expect(suggestCommands("/cost now")).toEqual([]);
    expect(suggestCommands("c")).toEqual([]);
  });
});
