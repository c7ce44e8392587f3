import { indentUnit } from "@codemirror/language";
import type { Extension } from "@codemirror/state";

const loaders: Record<string, () => Promise<Extension>> = {
  python: async () => [(await import("@codemirror/lang-python")).python(), indentUnit.of("    ")],
  javascript: async () => (await import("@codemirror/lang-javascript")).javascript(),
  jsx: async () => (await import("@codemirror/lang-javascript")).javascript({ jsx: true }),
  typescript: async () => (await import("@codemirror/lang-javascript")).javascript({ typescript: true }),
  tsx: async () => (await import("@codemirror/lang-javascript")).javascript({ jsx: true, typescript: true }),
  json: async () => (await import("@codemirror/lang-json")).json(),
  markdown: async () => (await import("@codemirror/lang-markdown")).markdown(),
  html: async () => (await import("@codemirror/lang-html")).html(),
  css: async () => (await import("@codemirror/lang-css")).css(),
};

/** The grammar of a language, loaded when it is first needed; nothing for plain text. */
export async function loadLanguage(language: string): Promise<Extension> {
  return (await loaders[language]?.()) ?? [];
}
