import * as vscode from "vscode";
import { AUTO, lastCall, models, receipt, recommend, shown } from "./core/market";
import { dollars, receiptMarkdown, told } from "./core/words";
import { Account, settings } from "./host/account";
import { SelectionCost } from "./host/cost";
import { Edits } from "./host/edit";
import { Ghost } from "./host/ghost";
import { mcpServers } from "./host/mcp";
import { Panel } from "./host/panel";
import { participant } from "./host/participant";
import { Provider } from "./host/provider";
import { Wallet } from "./host/wallet";

const VENDOR = "agent-marketplace";
const RECEIPTS = "agent-marketplace-receipt";
const REFRESH_MS = 10 * 60_000;

export function activate(context: vscode.ExtensionContext): void {
  const account = new Account(context);
  const wallet = new Wallet(account, context);
  const provider = new Provider(account, wallet);
  const cost = new SelectionCost(account);
  const ghost = new Ghost(account, wallet);
  const edits = new Edits(account, wallet);
  const receipts = new Receipts(account, wallet);
  const panel = new Panel(context, account);
  const refresh = setInterval(() => provider.refresh(), REFRESH_MS);
  const mcp = mcpServers(account);
  context.subscriptions.push(
    account,
    wallet,
    cost,
    ghost,
    edits,
    new vscode.Disposable(() => clearInterval(refresh)),
    account.onDidChange(() => provider.refresh()),
    wallet.onBack(() => provider.refresh()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("agentMarketplace.models")) provider.refresh();
    }),
    vscode.lm.registerLanguageModelChatProvider(VENDOR, provider),
    vscode.languages.registerInlineCompletionItemProvider({ pattern: "**" }, ghost),
    vscode.window.registerWebviewViewProvider(Panel.id, panel, { webviewOptions: { retainContextWhenHidden: true } }),
    vscode.workspace.registerTextDocumentContentProvider(RECEIPTS, receipts),
    participant(account, wallet),
    ...(mcp ? [mcp] : []),
    ...commands({ account, wallet, cost, edits, receipts }),
  );
}

interface Parts {
  account: Account;
  wallet: Wallet;
  cost: SelectionCost;
  edits: Edits;
  receipts: Receipts;
}

function commands({ account, wallet, cost, edits, receipts }: Parts): vscode.Disposable[] {
  const acts: Record<string, (...given: unknown[]) => unknown> = {
    manage: () => manage(),
    signIn: () => account.signIn(),
    signOut: () => account.signOut(),
    pasteKey: () => account.pasteKey(),
    switchServer: () => account.switchServer(),
    receipt: () => receipts.show(),
    estimate: () => cost.tell(),
    edit: () => edits.ask(),
    recommend: () => recommendForSelection(account),
    addModel: (id) => addModel(account, typeof id === "string" ? id : undefined),
    toggleCompletions: () => toggleCompletions(),
    setUpChat: () => setUpChat(account, wallet),
  };
  return Object.entries(acts).map(([name, act]) =>
    vscode.commands.registerCommand(`agentMarketplace.${name}`, async (...given: unknown[]) => {
      try {
        return await act(...given);
      } catch (error) {
        if (!(error instanceof vscode.CancellationError)) void vscode.window.showWarningMessage(told(error).words);
        return undefined;
      }
    }),
  );
}

const menu: [string, string][] = [
  ["signIn", "Sign in"],
  ["pasteKey", "Sign in with a marketplace key"],
  ["switchServer", "Switch server"],
  ["addModel", "Offer another model in the chat"],
  ["receipt", "Show the last receipt"],
  ["toggleCompletions", "Switch ghost text on or off"],
  ["setUpChat", "Set up the chat without a GitHub account"],
  ["signOut", "Sign out"],
];

async function manage(): Promise<void> {
  const items = menu.map(([command, label]) => ({ label, command }));
  const chosen = await vscode.window.showQuickPick(items, { title: "AI Agent Marketplace" });
  if (chosen) await vscode.commands.executeCommand(`agentMarketplace.${chosen.command}`);
}

/** Puts a model into the chat's picker, and opens the chat with it where the editor can. */
async function addModel(account: Account, given: string | undefined): Promise<void> {
  const id = given ?? (await chooseModel(account));
  if (!id) return;
  await offer(id);
  await vscode.commands.executeCommand("workbench.action.chat.open").then(undefined, () => undefined);
  void vscode.window.setStatusBarMessage(`$(check) ${id} is in the chat's model picker`, 6_000);
}

async function offer(id: string): Promise<void> {
  const before = settings().get<string[]>("models", []);
  if (id === AUTO.id || before.includes(id)) return;
  await settings().update("models", [...before, id], vscode.ConfigurationTarget.Global);
}

async function chooseModel(account: Account): Promise<string | undefined> {
  const items = models(account.api).then((all) =>
    all.map((model) => {
      const { detail, input, output } = shown(model);
      return { label: model.name, description: `${detail} · ${Math.round((input + output) / 1000)}K`, detail: model.id };
    }),
  );
  const chosen = await vscode.window.showQuickPick(items, {
    title: "Which model?",
    matchOnDetail: true,
    placeHolder: "Name or id; prices are dollars per 1M tokens, in/out",
  });
  return chosen?.detail;
}

async function recommendForSelection(account: Account): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const selected = editor && !editor.selection.isEmpty ? editor.document.getText(editor.selection) : "";
  const wish = await vscode.window.showInputBox({
    title: "What do you want done?",
    value: selected ? "Explain and improve this code" : "",
    ignoreFocusOut: true,
  });
  if (!wish) return;
  const picks = recommend(account.api, selected ? `${wish}\n\n${selected}` : wish, 5).then((found) =>
    found.map(({ model, reasoning, cost_range: range }) => ({
      label: model.name,
      description: range ? `${dollars(range.p50)} to ${dollars(range.p95)}` : "",
      detail: reasoning,
      id: model.id,
    })),
  );
  const chosen = await vscode.window.showQuickPick(picks, {
    title: "Q Assistant's picks",
    placeHolder: "Enter offers it in the chat",
  });
  if (chosen) await addModel(account, chosen.id);
}

async function toggleCompletions(): Promise<void> {
  const on = !settings().get<boolean>("completion.enabled", true);
  await settings().update("completion.enabled", on, vscode.ConfigurationTarget.Global);
  void vscode.window.setStatusBarMessage(`Ghost text is ${on ? "on" : "off"}`, 4_000);
}

/** The editor's chat without a GitHub account: anonymous access, and which model names chats. */
async function setUpChat(account: Account, wallet: Wallet): Promise<void> {
  if (!(await account.signedIn()) && !(await account.signIn())) return;
  const price = (text: string | undefined) => Number(text ?? Number.POSITIVE_INFINITY);
  const talking = (await models(account.api)).filter((model) => model.capabilities.includes("tools"));
  talking.sort((a, b) => price(a.prices?.output) - price(b.prices?.output));
  const cheapest = talking[0]?.id ?? AUTO.id;
  // The chat finds a model only among those that are offered.
  await offer(cheapest);
  const small = `${VENDOR}/${cheapest}`;
  const config = vscode.workspace.getConfiguration("chat");
  const wanted = { allowAnonymousAccess: true, utilityModel: small, utilitySmallModel: small };
  const unknown: string[] = [];
  for (const [name, value] of Object.entries(wanted)) {
    try {
      await config.update(name, value, vscode.ConfigurationTarget.Global);
    } catch {
      // An editor that does not know the setting has no such chat.
      unknown.push(`chat.${name}`);
    }
  }
  await wallet.refresh();
  const words =
    unknown.length > 0 ? `This editor has no ${unknown.join(", ")}.` : `Titles and summaries are written by ${small}.`;
  void vscode.window.showInformationMessage(`The chat is set up. ${words}`);
}

/** Receipts as documents that only are read. */
class Receipts implements vscode.TextDocumentContentProvider {
  constructor(
    private readonly account: Account,
    private readonly wallet: Wallet,
  ) {}

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    return receiptMarkdown(await receipt(this.account.api, uri.path.replace(/^\/|\.md$/g, "")));
  }

  async show(): Promise<void> {
    const id = this.wallet.lastRequest ?? (await lastCall(this.account.api));
    if (!id) return void vscode.window.showInformationMessage("Nothing was asked yet.");
    const uri = vscode.Uri.from({ scheme: RECEIPTS, path: `/${id}.md` });
    try {
      await vscode.commands.executeCommand("markdown.showPreview", uri);
    } catch {
      // An editor without the Markdown preview shows the text.
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
    }
  }
}
