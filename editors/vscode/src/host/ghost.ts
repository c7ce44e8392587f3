import * as vscode from "vscode";
import { Failure } from "../core/api";
import { complete, FimCache, type FimPrompt, fimPrompt, isIgnored } from "../core/fim";
import { models } from "../core/market";
import { told } from "../core/words";
import type { Account } from "./account";
import { settings } from "./account";
import type { Wallet } from "./wallet";

const FEWEST_LETTERS = 3;
const OTHERS = 4;
const OTHER_CHARACTERS = 4_000;
const REST_MS = 60_000;
const SENT = new Set(["file", "untitled", "vscode-remote", "vscode-vfs"]);

/** Ghost text from a model that fills in the middle. */
export class Ghost implements vscode.InlineCompletionItemProvider, vscode.Disposable {
  private readonly cache = new FimCache();
  private readonly listening: vscode.Disposable[];
  private model: Promise<string | undefined> | undefined;
  private restUntil = 0;

  constructor(
    private readonly account: Account,
    private readonly wallet: Wallet,
  ) {
    const watcher = vscode.workspace.createFileSystemWatcher("**/.aiignore");
    const forget = () => aiignores.clear();
    this.listening = [
      watcher,
      watcher.onDidChange(forget),
      watcher.onDidCreate(forget),
      watcher.onDidDelete(forget),
      account.onDidChange(() => this.forget()),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration("agentMarketplace.completion")) this.forget();
      }),
    ];
  }

  async provideInlineCompletionItems(
    document: vscode.TextDocument,
    position: vscode.Position,
    { triggerKind }: vscode.InlineCompletionContext,
    token: vscode.CancellationToken,
  ): Promise<vscode.InlineCompletionItem[]> {
    const asked = triggerKind === vscode.InlineCompletionTriggerKind.Invoke;
    const config = settings(document);
    if (!vscode.workspace.isTrusted || !(config.get<boolean>("completion.enabled", true) || asked)) return [];
    if (Date.now() < this.restUntil && !asked) return [];
    if (!SENT.has(document.uri.scheme) || (await isPrivate(document))) return [];
    const prompt = await this.prompt(document, position, config.get<number>("completion.contextTokens", 1500));
    if (!prompt || token.isCancellationRequested || prompt.prompt.trim().length < FEWEST_LETTERS) return [];
    const text = this.cache.get(prompt) ?? (await this.ask(prompt, config, token, asked));
    if (!text || token.isCancellationRequested) return [];
    return [new vscode.InlineCompletionItem(text, new vscode.Range(position, position))];
  }

  dispose(): void {
    for (const one of this.listening) one.dispose();
  }

  private forget(): void {
    this.model = undefined;
    this.restUntil = 0;
    this.cache.clear();
  }

  private async ask(
    prompt: FimPrompt,
    config: vscode.WorkspaceConfiguration,
    token: vscode.CancellationToken,
    asked: boolean,
  ): Promise<string> {
    const stop = new AbortController();
    const listening = token.onCancellationRequested(() => stop.abort());
    try {
      if (!asked) await pause(config.get<number>("completion.delay", 300), token);
      if (token.isCancellationRequested || !(await this.account.signedIn())) return "";
      const model = await this.chosen(config);
      const left = this.wallet.completions.left(config.get<number>("completion.dayLimit", 0.5));
      if (!model || left <= 0) return "";
      const most = Math.min(left, this.wallet.maxCost() ?? left);
      const { text, usage } = await complete(
        this.account.api,
        model,
        prompt,
        stop.signal,
        Number.isFinite(most) ? most : undefined,
      );
      this.wallet.completed(usage);
      this.cache.put(prompt, text);
      return text;
    } catch (error) {
      if (!token.isCancellationRequested) this.rest(error, asked);
      return "";
    } finally {
      listening.dispose();
      stop.abort();
    }
  }

  /** Nobody wants a message at each pause of typing: what fails is left alone for a minute, and told to who asked for it. */
  private rest(error: unknown, asked: boolean): void {
    const wait = error instanceof Failure ? error.retryAfter : undefined;
    this.restUntil = Date.now() + (wait === undefined ? REST_MS : wait * 1000);
    if (asked) void vscode.window.showWarningMessage(told(error).words);
    else vscode.window.setStatusBarMessage(`$(warning) Ghost text: ${told(error).words}`, 8_000);
  }

  private async chosen(config: vscode.WorkspaceConfiguration): Promise<string | undefined> {
    const named = config.get<string>("completion.model", "").trim();
    if (named) return named;
    this.model ??= cheapest(this.account);
    try {
      return await this.model;
    } catch (error) {
      this.model = undefined;
      throw error;
    }
  }

  private async prompt(document: vscode.TextDocument, position: vscode.Position, tokens: number): Promise<FimPrompt | null> {
    const end = document.lineAt(document.lineCount - 1).range.end;
    const others = vscode.window.visibleTextEditors
      .map((editor) => editor.document)
      .concat(vscode.workspace.textDocuments)
      .filter(
        (other, index, all) =>
          other !== document && all.indexOf(other) === index && other.languageId === document.languageId,
      )
      .slice(0, OTHERS);
    const allowed: { path: string; text: string }[] = [];
    for (const other of others) {
      if (SENT.has(other.uri.scheme) && !(await isPrivate(other)))
        allowed.push({ path: pathOf(other), text: other.getText().slice(0, OTHER_CHARACTERS) });
    }
    return fimPrompt(
      {
        path: pathOf(document),
        language: document.languageId,
        before: document.getText(new vscode.Range(new vscode.Position(0, 0), position)),
        after: document.getText(new vscode.Range(position, end)),
        others: allowed,
      },
      { tokens, others: 0.25 },
    );
  }
}

export function pathOf(document: vscode.TextDocument): string {
  return vscode.workspace.asRelativePath(document.uri, false).replaceAll("\\", "/");
}

/** Rules by the folder whose `.aiignore` has them; forgotten where one changes. */
const aiignores = new Map<string, Promise<string[]>>();
const DEEPEST = 32;

/** Whether a file is never sent: the setting's list says so, or an `.aiignore` of its own workspace folder, in any folder on the way to it.
 * None takes back what another forbids: a repository's file is no word of the user's. */
export async function isPrivate(document: vscode.TextDocument): Promise<boolean> {
  if (isIgnored(pathOf(document), settings().get<string[]>("completion.ignore", []))) return true;
  const folder = vscode.workspace.getWorkspaceFolder(document.uri);
  if (!folder) return false;
  const parts = document.uri.path.slice(folder.uri.path.length).split("/").filter(Boolean);
  for (let depth = 0; depth < Math.min(parts.length, DEEPEST); depth += 1) {
    const rules = await rulesIn(vscode.Uri.joinPath(folder.uri, ...parts.slice(0, depth)));
    if (isIgnored(parts.slice(depth).join("/"), rules)) return true;
  }
  return false;
}

function rulesIn(folder: vscode.Uri): Promise<string[]> {
  const name = folder.toString();
  let rules = aiignores.get(name);
  if (!rules) {
    rules = read(folder);
    aiignores.set(name, rules);
  }
  return rules;
}

async function read(folder: vscode.Uri): Promise<string[]> {
  try {
    const bytes = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder, ".aiignore"));
    return new TextDecoder().decode(bytes).split(/\r?\n/);
  } catch {
    // Most folders have none.
    return [];
  }
}

async function cheapest(account: Account): Promise<string | undefined> {
  const price = (text: string | undefined) => Number(text ?? Number.POSITIVE_INFINITY);
  const found = (await models(account.api)).filter((model) => model.capabilities.includes("fim"));
  found.sort((a, b) => price(a.prices?.input) - price(b.prices?.input) || price(a.prices?.output) - price(b.prices?.output));
  return found[0]?.id;
}

function pause(ms: number, token: vscode.CancellationToken): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    token.onCancellationRequested(() => {
      clearTimeout(timer);
      done();
    });
  });
}
