import * as vscode from "vscode";
import { streamChat } from "../core/chat";
import { codeOf, editTurns, type Piece } from "../core/edit";
import { aroundCursor, withoutSecrets } from "../core/fim";
import { onWire } from "../core/market";
import type { Account } from "./account";
import { settings } from "./account";
import { priceOf } from "./cost";
import { isPrivate, pathOf } from "./ghost";
import type { Wallet } from "./wallet";

const SCHEME = "agent-marketplace-edit";

/** What a model made of a piece of a file, until it is applied or thrown away. */
interface Proposal {
  uri: vscode.Uri;
  range: vscode.Range;
  /** The document's version that the model saw. */
  version: number;
  text: string;
  whole: string;
}

/** Asks a model to change the selection or to write at the cursor: the cost before, a real diff after, and nothing in the file unasked. */
export class Edits implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly proposals = new Map<string, Proposal>();
  private readonly listening: vscode.Disposable;
  private last = 0;

  constructor(
    private readonly account: Account,
    private readonly wallet: Wallet,
  ) {
    this.listening = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.proposals.get(uri.query)?.whole ?? "";
  }

  /** Throws in words. */
  async ask(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor)
      throw new Error("Open a file and select what is to change, or put the cursor where something is to be written.");
    if (!(await this.account.signedIn()) && !(await this.account.signIn())) return;
    const { document, selection } = editor;
    const { version } = document;
    const piece = await pieceOf(document, selection);
    if (!piece) return;
    const model = await this.agreed(piece);
    if (!model) return;
    const answer = await this.answer(model, piece);
    if (!answer.trim()) throw new Error("The model answered nothing. The receipt says what it cost.");
    await this.propose(document, selection, version, codeOf(answer, piece));
  }

  dispose(): void {
    this.listening.dispose();
  }

  /** The cost stands beside the one thing that sends. */
  private async agreed(piece: Piece): Promise<string | undefined> {
    const model = settings().get<string>("model", "auto");
    const prompt = editTurns(piece).flatMap(({ parts }) => parts.map((part) => (part.kind === "text" ? part.text : "")));
    const { words, affordable } = await priceOf(this.account.api, model, prompt.join("\n"));
    const chosen = await vscode.window.showQuickPick(
      [
        { label: "$(send) Ask", description: words, detail: affordable ? "" : "Your credit does not cover the maximum." },
        { label: "$(gear) Another model…", description: "the setting agentMarketplace.model" },
      ],
      { title: piece.wish },
    );
    if (chosen?.label.startsWith("$(gear)"))
      await vscode.commands.executeCommand("workbench.action.openSettings", "agentMarketplace.model");
    return chosen?.label.startsWith("$(send)") ? model : undefined;
  }

  private answer(model: string, piece: Piece): Thenable<string> {
    const title = `Marketplace: ${piece.wish.slice(0, 60)}`;
    return vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      async (progress, token) => {
        const stop = new AbortController();
        token.onCancellationRequested(() => stop.abort());
        const request = { model: onWire(model), turns: editTurns(piece), maxCost: this.wallet.maxCost() };
        let text = "";
        try {
          for await (const event of streamChat(this.account.api, request, stop.signal)) {
            if (event.kind === "text") text += event.text;
            if (event.kind === "usage") this.wallet.spent(event.usage, event.requestId);
            progress.report({ message: `${text.length} characters` });
          }
        } catch (error) {
          if (token.isCancellationRequested) throw new vscode.CancellationError();
          throw error;
        }
        return text;
      },
    );
  }

  private async propose(document: vscode.TextDocument, range: vscode.Range, version: number, text: string): Promise<void> {
    const all = document.getText();
    const whole = all.slice(0, document.offsetAt(range.start)) + text + all.slice(document.offsetAt(range.end));
    this.last += 1;
    const id = String(this.last);
    const proposal = { uri: document.uri, range, version, text, whole };
    this.proposals.set(id, proposal);
    const shown = vscode.Uri.from({ scheme: SCHEME, path: document.uri.path, query: id });
    await vscode.commands.executeCommand("vscode.diff", document.uri, shown, `${pathOf(document)}: proposed`);
    const apply = "Apply";
    const chosen = await vscode.window.showInformationMessage("The model's proposal stands on the right.", apply, "Discard");
    if (chosen === apply) await applied(document, proposal);
    await closed(shown);
    this.proposals.delete(id);
  }
}

async function pieceOf(document: vscode.TextDocument, selection: vscode.Selection): Promise<Piece | undefined> {
  if (await isPrivate(document))
    throw new Error(
      `${pathOf(document)} is on the ignore list (agentMarketplace.completion.ignore): its text is never sent.`,
    );
  const all = document.getText();
  const selected = document.getText(selection);
  const wish = await vscode.window.showInputBox({
    title: selected ? "What is to become of the selection?" : "What is to be written here?",
    placeHolder: selected ? "Make it handle an empty list" : "A function that reads the settings",
    ignoreFocusOut: true,
  });
  if (!wish?.trim()) return undefined;
  const before = all.slice(0, document.offsetAt(selection.start));
  const after = all.slice(document.offsetAt(selection.end));
  // Around the piece a blanked secret does no harm; in the piece the blank would be written into the file.
  if (withoutSecrets(selected) !== selected) {
    const send = "Send it all the same";
    const words = "The selection holds what looks like a secret.";
    if ((await vscode.window.showWarningMessage(words, { modal: true }, send)) !== send) return undefined;
  }
  const around = aroundCursor(before, after) ?? { before: withoutSecrets(before), after: "" };
  return { path: pathOf(document), language: document.languageId, ...around, selected, wish };
}

/** One step to undo. What was typed meanwhile wins: the proposal is refused in words, and is still to be seen. */
async function applied(document: vscode.TextDocument, { uri, range, version, text }: Proposal): Promise<void> {
  if (document.version !== version)
    throw new Error(
      "The file has changed since the model read it, so nothing was written. Ask again, or copy from the diff.",
    );
  const edit = new vscode.WorkspaceEdit();
  edit.replace(uri, range, text);
  if (!(await vscode.workspace.applyEdit(edit))) throw new Error("The editor refused the change; the file is as it was.");
  await vscode.window.showTextDocument(document);
}

async function closed(shown: vscode.Uri): Promise<void> {
  for (const tab of vscode.window.tabGroups.all.flatMap((group) => group.tabs)) {
    const { input } = tab;
    if (input instanceof vscode.TabInputTextDiff && input.modified.toString() === shown.toString())
      await vscode.window.tabGroups.close(tab);
  }
}
