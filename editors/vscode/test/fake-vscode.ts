/**
 * As much of `vscode` as the adapters in src/host touch, in memory. What the editor would show is kept in `seen`; what its user would
 * choose is said before by `answers` (the label of a button, `undefined` = dismissed). The editor's own code runs in `make editor-test`.
 */
type Listener<T> = (value: T) => unknown;

export class EventEmitter<T> {
  private readonly listeners = new Set<Listener<T>>();
  readonly event = (listener: Listener<T>) => {
    this.listeners.add(listener);
    return { dispose: () => void this.listeners.delete(listener) };
  };
  fire(value: T): void {
    for (const listener of this.listeners) listener(value);
  }
  dispose(): void {
    this.listeners.clear();
  }
}

export class CancellationTokenSource {
  private readonly cancelled = new EventEmitter<void>();
  readonly token = {
    isCancellationRequested: false,
    onCancellationRequested: this.cancelled.event,
  };
  cancel(): void {
    this.token.isCancellationRequested = true;
    this.cancelled.fire();
  }
}

export class CancellationError extends Error {}
export class LanguageModelError extends Error {
  static NoPermissions(words: string): LanguageModelError {
    return Object.assign(new LanguageModelError(words), { code: "NoPermissions" });
  }
}
export class LanguageModelTextPart {
  constructor(readonly value: string) {}
}
export class LanguageModelToolCallPart {
  constructor(
    readonly callId: string,
    readonly name: string,
    readonly input: object,
  ) {}
}
export class LanguageModelToolResultPart {
  constructor(
    readonly callId: string,
    readonly content: unknown[],
  ) {}
}
export class LanguageModelPromptTsxPart {
  constructor(readonly value: unknown) {}
}
export class LanguageModelDataPart {
  constructor(
    readonly data: Uint8Array,
    readonly mimeType: string,
  ) {}
}
export const LanguageModelChatToolMode = { Auto: 1, Required: 2 };
export const LanguageModelChatMessageRole = { User: 1, Assistant: 2 };
export const InlineCompletionTriggerKind = { Invoke: 0, Automatic: 1 };
export const StatusBarAlignment = { Left: 1, Right: 2 };
export const ConfigurationTarget = { Global: 1 };
export const ProgressLocation = { Notification: 15 };

export class Position {
  constructor(
    readonly line: number,
    readonly character: number,
  ) {}
}
export class Range {
  constructor(
    readonly start: Position,
    readonly end: Position,
  ) {}
}
export class InlineCompletionItem {
  constructor(
    readonly insertText: string,
    readonly range: Range,
  ) {}
}
export const Uri = {
  parse: (text: string) => ({ toString: () => text }),
  joinPath: ({ path }: { path: string }, ...more: string[]) => {
    const whole = [path.replace(/\/$/, ""), ...more].join("/");
    return { path: whole, toString: () => whole };
  },
};

export const seen = { warnings: [] as string[], statuses: [] as string[], opened: [] as string[], commands: [] as string[] };
export const answers: (string | undefined)[] = [];
export const values = new Map<string, unknown>();
export const bars: { text: string; tooltip: string; command: string }[] = [];
const configured = new EventEmitter<{ affectsConfiguration: (name: string) => boolean }>();

/** A setting as its user writes it. */
export function setting(name: string, value: unknown): void {
  values.set(name, value);
  configured.fire({ affectsConfiguration: (asked) => `agentMarketplace.${name}`.startsWith(asked) });
}

const files = new Map<string, string>();

/** A folder of the workspace with these files. */
export function folder(path: string, contents: Record<string, string>): void {
  workspace.workspaceFolders.push({ uri: { path, toString: () => path } });
  for (const [name, text] of Object.entries(contents)) files.set(`${path}/${name}`, text);
}

const nothing = { dispose: () => undefined };
const never = () => nothing;

export const workspace = {
  isTrusted: true,
  textDocuments: [] as object[],
  workspaceFolders: [] as { uri: { path: string; toString: () => string } }[],
  fs: {
    readFile: ({ path }: { path: string }) => {
      const text = files.get(path);
      return text === undefined
        ? Promise.reject(new Error("no such file"))
        : Promise.resolve(new TextEncoder().encode(text));
    },
  },
  getWorkspaceFolder: ({ path }: { path: string }) =>
    workspace.workspaceFolders.find(({ uri }) => path.startsWith(`${uri.path}/`)),
  getConfiguration: () => ({
    get: <T>(name: string, usual: T): T => (values.has(name) ? (values.get(name) as T) : usual),
    update: (name: string, value: unknown) => Promise.resolve(setting(name, value)),
  }),
  onDidChangeConfiguration: configured.event,
  createFileSystemWatcher: () => ({ ...nothing, onDidChange: never, onDidCreate: never, onDidDelete: never }),
  asRelativePath: (uri: { path: string }) => uri.path.replace(/^\//, ""),
};

export const window = {
  state: { focused: true },
  visibleTextEditors: [] as object[],
  createStatusBarItem: () => {
    const bar = { text: "", tooltip: "", command: "", name: "", show: () => undefined, hide: () => undefined, ...nothing };
    bars.push(bar);
    return bar;
  },
  showWarningMessage: (words: string) => {
    seen.warnings.push(words);
    return Promise.resolve(answers.shift());
  },
  setStatusBarMessage: (words: string) => void seen.statuses.push(words),
};

export const commands = {
  executeCommand: (name: string) => Promise.resolve(void seen.commands.push(name)),
};
export const env = {
  appName: "Fake Code",
  openExternal: (uri: { toString(): string }) => Promise.resolve(seen.opened.push(uri.toString()) > 0),
};

/** What an extension is given to keep things in. */
export function context() {
  const secrets = new Map<string, string>();
  const changed = new EventEmitter<{ key: string }>();
  const memento = () => {
    const kept = new Map<string, unknown>();
    return {
      get: <T>(key: string, usual?: T) => (kept.has(key) ? (kept.get(key) as T) : usual),
      update: (key: string, value: unknown) => Promise.resolve(void kept.set(key, value)),
    };
  };
  return {
    secrets: {
      get: (key: string) => Promise.resolve(secrets.get(key)),
      store: async (key: string, value: string) => {
        secrets.set(key, value);
        changed.fire({ key });
      },
      delete: async (key: string) => {
        secrets.delete(key);
        changed.fire({ key });
      },
      onDidChange: changed.event,
    },
    globalState: memento(),
    workspaceState: memento(),
  };
}

/** A file with the cursor where `|` stands. */
export function file(path: string, marked: string, languageId = "python") {
  const offset = marked.indexOf("|");
  const text = marked.replace("|", "");
  const lines = text.split("\n");
  const at = (position: Position) =>
    lines.slice(0, position.line).reduce((sum, line) => sum + line.length + 1, 0) + position.character;
  const before = text.slice(0, offset).split("\n");
  const document = {
    uri: { scheme: "file", path: `/${path}` },
    languageId,
    lineCount: lines.length,
    lineAt: (line: number) => ({ range: new Range(new Position(line, 0), new Position(line, (lines[line] ?? "").length)) }),
    getText: (range?: Range) => (range ? text.slice(at(range.start), at(range.end)) : text),
  };
  return { document, position: new Position(before.length - 1, (before.at(-1) ?? "").length) };
}
