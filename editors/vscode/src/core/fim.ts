import { type Api, record } from "./api";
import { roughTokens, type Usage, usageOf } from "./chat";

/** A hole in a file. Everything around it, and other open files that may help, nearest first. */
export interface Hole {
  path: string;
  language: string;
  before: string;
  after: string;
  others: readonly { path: string; text: string }[];
}

/** What is sent: two texts. `single`: only the rest of the line is wanted. */
export interface FimPrompt {
  prompt: string;
  suffix: string;
  single: boolean;
}

export interface Budget {
  /** Tokens of everything that is sent. */
  tokens: number;
  /** The part of it that other open files may take, 0 to 1. */
  others: number;
}

export const USUAL_BUDGET: Budget = { tokens: 1_500, others: 0.25 };
const PREFIX_SHARE = 0.75;

/** Cuts a hole to a budget of tokens: whole lines, the nearest first; secrets are blanked out. null: it is a hole in a secret. */
export function fimPrompt(hole: Hole, budget: Budget = USUAL_BUDGET): FimPrompt | null {
  // Blanked out before the cut, which would leave half a key without the line that says what it is.
  const reach = budget.tokens * 4 + LONGEST_SECRET;
  const clean = aroundCursor(hole.before.slice(-reach), hole.after.slice(0, reach));
  if (!clean) return null;
  const others = neighbours(hole, Math.floor(budget.tokens * budget.others));
  const left = budget.tokens - roughTokens(others);
  const prefix = lastLines(clean.before, Math.floor(left * PREFIX_SHARE));
  const suffix = firstLines(clean.after, left - roughTokens(prefix));
  const rest = hole.after.split("\n", 1)[0] ?? "";
  return { prompt: others + prefix, suffix, single: /[^\s)\]}>"'`;,:]/.test(rest) };
}

function neighbours({ others, language }: Hole, tokens: number): string {
  const mark = commentMark(language);
  if (!mark || tokens <= 0) return "";
  let made = "";
  for (const { path, text } of others) {
    const lines = firstLines(withoutSecrets(text), Math.floor(tokens / 2))
      .trimEnd()
      .split("\n");
    const piece = `${mark} ${path}\n${lines.map((line) => `${mark} ${line}`.trimEnd()).join("\n")}\n`;
    if (roughTokens(made + piece) > tokens) break;
    made += piece;
  }
  return made;
}

const hash = new Set([
  "python",
  "shellscript",
  "ruby",
  "perl",
  "r",
  "yaml",
  "toml",
  "makefile",
  "dockerfile",
  "elixir",
  "julia",
]);
const dashes = new Set(["sql", "lua", "haskell"]);
const none = new Set(["json", "jsonc", "html", "xml", "markdown", "plaintext", "css", "csv"]);

function commentMark(language: string): string | null {
  if (none.has(language)) return null;
  if (hash.has(language)) return "#";
  return dashes.has(language) ? "--" : "//";
}

function lastLines(text: string, tokens: number): string {
  const cut = text.slice(-tokens * 4);
  return cut.length === text.length ? text : cut.slice(cut.indexOf("\n") + 1);
}

function firstLines(text: string, tokens: number): string {
  const cut = text.slice(0, Math.max(0, tokens * 4));
  return cut.length === text.length ? text : cut.slice(0, cut.lastIndexOf("\n") + 1);
}

const LONGEST_SECRET = 16_384;
const secrets: RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
  /\b(?:sk|pk|rk|ghp|gho|ghs|ghu|ghr|github_pat|glpat|xox[abeprs]|hf|npm|pypi|dop_v1)[-_][A-Za-z0-9_-]{16,}/g,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /\bAIza[0-9A-Za-z_-]{35}\b/g,
  /\bSG\.[\w-]{16,}\.[\w-]{16,}/g,
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g,
  /(?<=:\/\/[^\s:/@"']{0,80}:)[^\s/@"']{3,}(?=@)/g,
  /(?<=\b(?:Bearer|Basic) )[A-Za-z0-9._~+/=-]{16,}/g,
  /(?<=(?:password|passwd|secret|token|api[_-]?key|credential)s?["']?\s{0,4}[:=]\s{0,4}["'])[^"'\n]{6,}/gi,
  // A shell's, a Dockerfile's or a YAML's: no quotes, and a digit, so that code which only names one stays.
  /(?<=(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY)[A-Z_]{0,40}\s{0,2}[:=]\s{0,2})(?=[A-Za-z+/_=-]{0,80}\d)[A-Za-z0-9+/_=-]{10,}(?=\s|$)/g,
];

/** Where secrets stand in a text, in order and apart. */
function secretSpans(text: string): [number, number][] {
  const found = secrets.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(({ index, 0: { length } }): [number, number] => [index, index + length]),
  );
  found.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  const apart: [number, number][] = [];
  for (const [from, to] of found) {
    const last = apart.at(-1);
    if (last && from < last[1]) last[1] = Math.max(last[1], to);
    else apart.push([from, to]);
  }
  return apart;
}

function blanked(text: string, spans: readonly [number, number][], from = 0): string {
  let made = "";
  let at = from;
  for (const [start, end] of spans) {
    made += `${text.slice(at, start)}***`;
    at = end;
  }
  return made + text.slice(at);
}

/** Blanks out what looks like a secret: it never leaves the machine. */
export function withoutSecrets(text: string): string {
  return blanked(text, secretSpans(text));
}

/** Both sides of a cursor without secrets, also those that reach over it; null where it stands in one. */
export function aroundCursor(before: string, after: string): { before: string; after: string } | null {
  const text = before + after;
  const cursor = before.length;
  const spans = secretSpans(text);
  if (spans.some(([from, to]) => from < cursor && cursor < to)) return null;
  return {
    before: blanked(
      before,
      spans.filter(([, to]) => to <= cursor),
    ),
    after: blanked(
      text,
      spans.filter(([from]) => from >= cursor),
      cursor,
    ),
  };
}

/** One pattern of an ignore list, as `.gitignore` writes it: `*` within a folder, `**` over folders, a slash pins it to the root. */
export function ignores(pattern: string, flags = "i"): (path: string) => boolean {
  const rule = pattern.trim();
  if (!rule || rule.startsWith("#")) return () => false;
  const body = rule.replace(/^\//, "").replace(/\/$/, "");
  const text = body
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((piece) => {
      if (piece === "**/") return "(?:.*/)?";
      if (piece === "**") return ".*";
      if (piece === "*") return "[^/]*";
      return piece === "?" ? "[^/]" : piece.replace(/[.+^${}()|[\]\\]/g, "\\$&");
    })
    .join("");
  const pinned = rule.startsWith("/") || body.includes("/");
  // In either case of letters: a disk may not tell `.ENV` from `.env`, and what is kept back too much does no harm.
  const whole = new RegExp(`^${pinned ? "" : "(?:.*/)?"}${text}(?:/.*)?$`, flags);
  return (path) => whole.test(path);
}

/** Whether any rule of a list names a path (relative, with slashes); a later `!rule` takes it back. */
export function isIgnored(path: string, rules: readonly string[]): boolean {
  let ignored = false;
  for (const rule of rules) {
    if (rule.startsWith("!")) {
      if (ignores(rule.slice(1), "")(path)) ignored = false;
    } else if (ignores(rule)(path)) ignored = true;
  }
  return ignored;
}

/** What is shown of what came: no more than is wanted, and nothing that already stands behind the cursor. */
export function trimmed(text: string, { suffix, single }: FimPrompt): string {
  let made = text.replace(/\r/g, "");
  if (single) made = made.split("\n", 1)[0] ?? "";
  const next = suffix.replace(/^\n/, "").split("\n", 1)[0]?.trim() ?? "";
  const lines = made.split("\n");
  // Where the model goes on into what stands there already, the rest is a repetition.
  const again = next.length > 3 ? lines.findIndex((line, index) => index > 0 && line.trim() === next) : -1;
  if (again > 0) made = lines.slice(0, again).join("\n");
  const rest = suffix.split("\n", 1)[0] ?? "";
  if (rest.trim() && made.endsWith(rest)) made = made.slice(0, -rest.length);
  return made.trimEnd();
}

/** Completions that came already, by what stood before the cursor; also those that the user is typing along. */
export class FimCache {
  private readonly kept = new Map<string, string>();

  constructor(private readonly most = 100) {}

  clear(): void {
    this.kept.clear();
  }

  put(prompt: FimPrompt, text: string): void {
    this.kept.delete(key(prompt));
    this.kept.set(key(prompt), text);
    if (this.kept.size > this.most) this.kept.delete(this.kept.keys().next().value ?? "");
  }

  get(prompt: FimPrompt): string | undefined {
    const exact = this.kept.get(key(prompt));
    if (exact !== undefined) return exact;
    const { prompt: before, suffix } = prompt;
    // Typed along: what stands there now begins as an earlier answer did.
    for (let length = 1; length <= Math.min(80, before.length); length += 1) {
      const typed = before.slice(-length);
      const earlier = this.kept.get(key({ ...prompt, prompt: before.slice(0, -length), suffix }));
      if (earlier !== undefined && earlier.length > length && earlier.startsWith(typed)) return earlier.slice(length);
    }
    return undefined;
  }
}

const key = ({ prompt, suffix }: FimPrompt) => `${prompt.slice(-600)}\u0000${suffix.slice(0, 200)}`;

export interface Completed {
  text: string;
  usage: Usage | undefined;
  requestId: string | undefined;
}

const MOST_TOKENS = { single: 48, block: 160 };
const MOST_LINES = 12;

/** Asks for a completion; hangs up, and so stops the provider, once what came is enough. Throws Failure. */
export async function complete(
  api: Api,
  model: string,
  prompt: FimPrompt,
  signal: AbortSignal,
  maxCost?: number,
): Promise<Completed> {
  const body = {
    model,
    prompt: prompt.prompt,
    suffix: prompt.suffix,
    stream: true,
    temperature: 0,
    max_tokens: prompt.single ? MOST_TOKENS.single : MOST_TOKENS.block,
    ...(prompt.single ? { stop: ["\n"] } : {}),
    ...(maxCost ? { max_cost: maxCost } : {}),
  };
  const { events, requestId } = await api.stream("/v1/completions", body, signal);
  let text = "";
  let usage: Usage | undefined;
  for await (const event of events) {
    const chunk = record(event);
    const piece = record((chunk.choices as unknown[] | undefined)?.[0]).text;
    if (typeof piece === "string") text += piece;
    if (chunk.usage) usage = usageOf(chunk);
    if (!usage && text.split("\n").length > MOST_LINES) break;
  }
  return { text: trimmed(text, prompt), usage, requestId };
}
