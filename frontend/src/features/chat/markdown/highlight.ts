import type { HighlighterCore, LanguageRegistration } from "shiki/core";

interface CodeToken {
  /** Offset in the line. */
  column: number;
  content: string;
  color?: string;
}

export interface CodeLine {
  number: number;
  tokens: CodeToken[];
}

type Grammar = () => Promise<{ default: LanguageRegistration[] }>;

const grammars: Record<string, Grammar> = {
  bash: () => import("shiki/langs/bash.mjs"),
  c: () => import("shiki/langs/c.mjs"),
  cpp: () => import("shiki/langs/cpp.mjs"),
  csharp: () => import("shiki/langs/csharp.mjs"),
  css: () => import("shiki/langs/css.mjs"),
  diff: () => import("shiki/langs/diff.mjs"),
  docker: () => import("shiki/langs/docker.mjs"),
  go: () => import("shiki/langs/go.mjs"),
  html: () => import("shiki/langs/html.mjs"),
  ini: () => import("shiki/langs/ini.mjs"),
  java: () => import("shiki/langs/java.mjs"),
  javascript: () => import("shiki/langs/javascript.mjs"),
  json: () => import("shiki/langs/json.mjs"),
  jsx: () => import("shiki/langs/jsx.mjs"),
  kotlin: () => import("shiki/langs/kotlin.mjs"),
  markdown: () => import("shiki/langs/markdown.mjs"),
  php: () => import("shiki/langs/php.mjs"),
  python: () => import("shiki/langs/python.mjs"),
  ruby: () => import("shiki/langs/ruby.mjs"),
  rust: () => import("shiki/langs/rust.mjs"),
  sql: () => import("shiki/langs/sql.mjs"),
  swift: () => import("shiki/langs/swift.mjs"),
  toml: () => import("shiki/langs/toml.mjs"),
  tsx: () => import("shiki/langs/tsx.mjs"),
  typescript: () => import("shiki/langs/typescript.mjs"),
  xml: () => import("shiki/langs/xml.mjs"),
  yaml: () => import("shiki/langs/yaml.mjs"),
};

const aliases: Record<string, string> = {
  "c#": "csharp",
  "c++": "cpp",
  cs: "csharp",
  dockerfile: "docker",
  golang: "go",
  js: "javascript",
  jsonc: "json",
  md: "markdown",
  mjs: "javascript",
  patch: "diff",
  py: "python",
  python3: "python",
  rb: "ruby",
  rs: "rust",
  sh: "bash",
  shell: "bash",
  ts: "typescript",
  yml: "yaml",
  zsh: "bash",
};

/** The grammar's name for a fence's word, or null where there is none. */
export function grammarFor(language: string): string | null {
  const word = language.toLowerCase();
  const name = aliases[word] ?? word;
  return Object.hasOwn(grammars, name) ? name : null;
}

const THEME = "variables";
/** Work between two breaths, well under a frame, so that colouring never makes the page stutter. */
const SLICE_MS = 6;

let loading: Promise<HighlighterCore> | undefined;

async function load(): Promise<HighlighterCore> {
  const [{ createCssVariablesTheme, createHighlighterCore }, { createJavaScriptRegexEngine }] = await Promise.all([
    import("shiki/core"),
    import("shiki/engine/javascript"),
  ]);
  const theme = createCssVariablesTheme({ name: THEME, variablePrefix: "--code-", fontStyle: false });
  return createHighlighterCore({ themes: [theme], langs: [], engine: createJavaScriptRegexEngine({ forgiving: true }) });
}

/** The coloured lines of `code`, in batches, giving the page time to breathe between them. */
export async function* highlight(code: string, grammar: string, signal: AbortSignal): AsyncGenerator<CodeLine[]> {
  loading ??= load();
  const highlighter = await loading;
  const source = grammars[grammar];
  if (source && !highlighter.getLoadedLanguages().includes(grammar)) await highlighter.loadLanguage(await source());
  let batch: CodeLine[] = [];
  let started = performance.now();
  let grammarState: ReturnType<HighlighterCore["getLastGrammarState"]> | undefined;
  for (const [number, line] of code.split("\n").entries()) {
    const coloured = highlighter.codeToTokensBase(line, { lang: grammar, theme: THEME, grammarState });
    grammarState = highlighter.getLastGrammarState(coloured);
    const tokens = coloured.flat().map(({ offset, content, color }) => ({ column: offset, content, color }));
    batch.push({ number, tokens });
    if (performance.now() - started < SLICE_MS) continue;
    yield batch;
    batch = [];
    await breathe();
    if (signal.aborted) return;
    started = performance.now();
  }
  if (batch.length) yield batch;
}

const breathe = () => new Promise((resolve) => setTimeout(resolve));
