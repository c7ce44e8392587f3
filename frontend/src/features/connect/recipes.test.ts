import { describe, expect, it } from "vitest";
import type { ClientSettings } from "@/shared/api/types";
import { type Connection, filled, tried } from "./recipes";

const connection: Connection = {
  origin: "http://127.0.0.1:8000",
  key: "mk-test",
  modelId: "gpt4",
  modelName: 'GPT-4 "Turbo": fast',
  context: 128_000,
  maxOutput: 4096,
  vision: true,
};

const settings = (fields: Partial<ClientSettings>): ClientSettings => ({
  id: "x",
  name: "X",
  kind: "agent",
  wires: ["chat"],
  version: "",
  documented: "",
  note: "",
  steps: [],
  ...fields,
});

/** A place in a text. */
const at = (name: string) => `$\{${name}}`;

describe("filled", () => {
  it("leaves nothing to fill in by hand", () => {
    const text = ["origin", "key", "model", "name", "label", "context", "max_output", "vision"].map(at).join(" ");
    expect(filled(text, connection)).toBe(
      String.raw`http://127.0.0.1:8000 mk-test gpt4 "GPT-4 \"Turbo\": fast" "GPT-4 \"Turbo\": fast (Marketplace)" 128000 4096 true`,
    );
  });

  it("gives JSON tools valid JSON, whatever the model is called", () => {
    const text = filled(`{"models": {"${at("model")}": {"name": ${at("name")}, "limit": ${at("context")}}}}`, connection);
    expect(JSON.parse(text)).toEqual({ models: { gpt4: { name: 'GPT-4 "Turbo": fast', limit: 128_000 } } });
  });

  it("shows a place of a newer server instead of an empty one", () => {
    expect(filled(at("shape"), connection)).toBe(at("shape"));
  });

  it("takes a key that looks like a pattern as it is", () => {
    expect(filled(at("key"), { ...connection, key: "a$&b" })).toBe("a$&b");
  });
});

describe("tried", () => {
  it("does not call settings tried that nobody ran", () => {
    expect(tried(settings({ version: "1.2" }))).toBe("Tried with version 1.2.");
    expect(tried(settings({ documented: "2026-11-30" }))).toBe("From its documentation of 2026-11-30, not tried.");
    expect(tried(settings({ version: "1.2", documented: "2026-11-30" }))).toContain("not tried");
    expect(tried(settings({}))).toBe("");
  });
});
