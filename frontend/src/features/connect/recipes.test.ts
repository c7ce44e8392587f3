import { describe, expect, it } from "vitest";
import { type Connection, recipes } from "./recipes";

const connection: Connection = {
  origin: "http://127.0.0.1:8000",
  key: "mk-test",
  modelId: "gpt4",
  modelName: 'GPT-4 "Turbo": fast',
  context: 128_000,
  maxOutput: 4096,
  vision: true,
};

describe("recipes", () => {
  const all = recipes(connection);

  it("leaves nothing to fill in by hand", () => {
    for (const recipe of all) {
      const text = recipe.text + (recipe.next?.text ?? "");
      expect(text, recipe.tool).toContain("mk-test");
      expect(text, recipe.tool).toContain("gpt4");
      expect(text, recipe.tool).toContain("http://127.0.0.1:8000");
      expect(text, recipe.tool).not.toMatch(/YOUR_|<.*>|undefined/);
    }
  });

  it("gives JSON tools valid JSON, whatever the model is called", () => {
    for (const id of ["vscode", "zed"]) {
      const recipe = all.find((each) => each.id === id);
      expect(JSON.stringify(JSON.parse(recipe?.text ?? ""))).toContain("gpt4");
    }
  });

  it("quotes a name that YAML would misread", () => {
    expect(all.find((each) => each.id === "continue")?.text).toContain(String.raw`name: "GPT-4 \"Turbo\": fast"`);
  });

  it("gives each wire its own base address", () => {
    const text = (id: string) => all.find((each) => each.id === id)?.text;
    expect(text("openai-python")).toContain('base_url="http://127.0.0.1:8000/v1"');
    expect(text("anthropic-python")).toContain('base_url="http://127.0.0.1:8000"');
  });

  it("never repeats an id", () => {
    expect(new Set(all.map((each) => each.id)).size).toBe(all.length);
  });
});
