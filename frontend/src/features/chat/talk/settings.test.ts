import { expect, test } from "vitest";
import { parseSettings, settingsBody, settingsWords } from "./settings";

test("nothing set sends nothing: the model's own way", () => {
  expect(settingsBody({})).toEqual({});
  expect(settingsWords({})).toBe("");
});

test("a temperature of zero is sent, not taken for none", () => {
  const settings = { temperature: 0, effort: "high", maxTokens: 500, json: true } as const;
  expect(settingsBody(parseSettings(JSON.stringify(settings)))).toEqual({
    temperature: 0,
    reasoning_effort: "high",
    max_tokens: 500,
    response_format: { type: "json_object" },
  });
  expect(settingsWords(settings)).toBe("temperature 0, effort high, at most 500 tokens, JSON");
});

test("garbage is the model's own way", () => {
  for (const kept of ["", "{", "null", "[]", '{"temperature":9,"effort":"huge","maxTokens":-1,"json":"yes"}']) {
    expect(parseSettings(kept)).toEqual({});
  }
});
