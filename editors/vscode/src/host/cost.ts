import * as vscode from "vscode";
import type { Api } from "../core/api";
import { estimate } from "../core/market";
import { dollars, told } from "../core/words";
import type { Account } from "./account";
import { settings } from "./account";
import { isPrivate } from "./ghost";

const FEWEST_LETTERS = 20;
const PAUSE_MS = 700;

/** What asking a model with a text would cost, in one sentence without its full stop. */
export async function priceOf(api: Api, model: string, text: string): Promise<{ words: string; affordable: boolean }> {
  const found = await estimate(api, model, text);
  const { p50, p95, maximum, input_tokens: tokens } = found.estimate;
  const range = `about ${dollars(p50)}, rarely more than ${dollars(p95)}, at most ${dollars(maximum)}`;
  return { words: `${found.model}: ${range} (${tokens} tokens to read)`, affordable: found.affordable };
}

/** What asking about the selection would cost, before anything is asked. */
export class SelectionCost implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;
  private readonly listening: vscode.Disposable;
  private timer: NodeJS.Timeout | undefined;
  private stop = new AbortController();

  constructor(private readonly account: Account) {
    this.item = vscode.window.createStatusBarItem("agentMarketplace.estimate", vscode.StatusBarAlignment.Right, 89);
    this.item.name = "Marketplace: cost of the selection";
    this.item.command = "agentMarketplace.estimate";
    this.listening = vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
      clearTimeout(this.timer);
      this.stop.abort();
      this.item.hide();
      if (!settings().get<boolean>("estimateSelection", true) || textEditor.selection.isEmpty) return;
      this.timer = setTimeout(() => void this.show(textEditor), PAUSE_MS);
    });
  }

  /** By command: the answer in words, or why there is none. */
  async tell(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const text = editor?.document.getText(editor.selection.isEmpty ? undefined : editor.selection);
    if (!text) return void vscode.window.showInformationMessage("Select what you want to ask about first.");
    try {
      const model = settings().get<string>("model", "auto");
      const { words, affordable } = await priceOf(this.account.api, model, text);
      void vscode.window.showInformationMessage(`${words}.${affordable ? "" : " Your credit does not cover the maximum."}`);
    } catch (error) {
      void vscode.window.showWarningMessage(told(error).words);
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.stop.abort();
    this.item.dispose();
    this.listening.dispose();
  }

  private async show({ document, selection }: vscode.TextEditor): Promise<void> {
    const text = document.getText(selection);
    if (text.trim().length < FEWEST_LETTERS || !(await this.account.signedIn())) return;
    if (await isPrivate(document)) return;
    this.stop = new AbortController();
    const { signal } = this.stop;
    try {
      const model = settings().get<string>("model", "auto");
      const found = await estimate(this.account.api, model, text, signal);
      if (signal.aborted) return;
      const { p50, p95, maximum } = found.estimate;
      this.item.text = `$(sparkle) ≈ ${dollars(p50)}`;
      this.item.tooltip = `Asking ${found.model} about the selection: about ${dollars(p50)}, rarely more than ${dollars(p95)}, at most ${dollars(maximum)}`;
      this.item.show();
    } catch {
      // An estimate that can't be had is no reason to disturb anybody; the command says why.
    }
  }
}
