import * as vscode from "vscode";

/**
 * What newer editors have and 1.104's types do not: looked for while running, and left out where it is missing.
 * `LanguageModelDataPart` came with 1.105; the thinking part is a proposal whose constructor is there.
 */
interface Newer {
  LanguageModelDataPart?: new (data: Uint8Array, mime: string) => object;
  LanguageModelThinkingPart?: new (text: string) => object;
}

const newer = vscode as unknown as Newer;

export function thinkingPart(text: string): object | null {
  return newer.LanguageModelThinkingPart ? new newer.LanguageModelThinkingPart(text) : null;
}

/** Without it the chat's meter says "0 / 200K". */
export function usagePart(usage: object): object | null {
  if (!newer.LanguageModelDataPart) return null;
  return new newer.LanguageModelDataPart(new TextEncoder().encode(JSON.stringify(usage)), "usage");
}

/** The bytes of a picture in a message; other data parts are markers of the editor's own. */
export function imageOf(part: unknown): { mime: string; base64: string } | null {
  const found = part as { mimeType?: unknown; data?: unknown };
  if (typeof found?.mimeType !== "string" || !found.mimeType.startsWith("image/")) return null;
  if (!(found.data instanceof Uint8Array)) return null;
  return { mime: found.mimeType, base64: Buffer.from(found.data).toString("base64") };
}

export function thinkingOf(part: unknown): string | null {
  const { LanguageModelThinkingPart } = newer;
  if (!LanguageModelThinkingPart || !(part instanceof LanguageModelThinkingPart)) return null;
  const { value } = part as unknown as { value: string | string[] };
  return Array.isArray(value) ? value.join("") : value;
}

const efforts = { default: "As the model does", low: "Low", medium: "Medium", high: "High" } as const;

/**
 * The picker's menu of how hard a model thinks. A proposal of the editor's (`chatProvider`) whose fields it takes from every extension;
 * the server fits the word to what the model knows, and says so on the receipt.
 */
export const effortMenu = {
  properties: {
    reasoningEffort: {
      type: "string",
      title: "Thinking effort",
      enum: Object.keys(efforts),
      enumItemLabels: Object.values(efforts),
      default: "default",
      group: "navigation",
    },
  },
};

/** What was chosen in that menu, as `reasoning_effort`; nothing where the model is left to itself. */
export function effortOf(options: object): { reasoning_effort?: string } {
  const { modelConfiguration } = options as { modelConfiguration?: { reasoningEffort?: unknown } };
  const chosen = modelConfiguration?.reasoningEffort;
  return typeof chosen === "string" && chosen in efforts && chosen !== "default" ? { reasoning_effort: chosen } : {};
}
