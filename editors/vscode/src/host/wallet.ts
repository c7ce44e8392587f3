import * as vscode from "vscode";
import type { Usage } from "../core/chat";
import { balance } from "../core/market";
import { DaySpend, type Kept, LowBalance } from "../core/spend";
import { dollars } from "../core/words";
import type { Account } from "./account";
import { settings } from "./account";

const EVERY_MS = 60_000;

/** What is left and what was spent, in the status bar; a click is the receipt. */
export class Wallet implements vscode.Disposable {
  lastRequest: string | undefined;
  private lastCost: number | undefined;
  private available: number | undefined;
  private readonly low = new LowBalance();
  private readonly back = new vscode.EventEmitter<void>();
  /** The server answers again: what was asked of it in between came to nothing. */
  readonly onBack = this.back.event;
  private away = false;
  private readonly workspace: DaySpend;
  readonly completions: DaySpend;
  private readonly item: vscode.StatusBarItem;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly account: Account,
    context: vscode.ExtensionContext,
  ) {
    this.item = vscode.window.createStatusBarItem("agentMarketplace.balance", vscode.StatusBarAlignment.Right, 90);
    this.item.name = "Marketplace: balance";
    this.workspace = daySpend(context.workspaceState, "spent");
    this.completions = daySpend(context.globalState, "completions");
    this.timer = setInterval(() => {
      if (vscode.window.state.focused) void this.refresh();
    }, EVERY_MS);
    account.onDidChange(() => {
      this.lastCost = this.available = this.lastRequest = undefined;
      void this.refresh();
    });
    void this.refresh();
    this.item.show();
  }

  /** What this answer may cost at most, dollars; undefined: whatever the key and the wallet allow. Throws in words when the day is used up. */
  maxCost(): number | undefined {
    const answer = settings().get<number>("maxCostPerAnswer", 0);
    const left = this.workspace.left(settings().get<number>("dayLimit", 0));
    if (left <= 0) throw new Error("This workspace's limit a day is reached (the setting agentMarketplace.dayLimit).");
    const most = Math.min(answer > 0 ? answer : Number.POSITIVE_INFINITY, left);
    return Number.isFinite(most) ? most : undefined;
  }

  spent(usage: Usage, requestId: string | undefined): void {
    if (requestId) this.lastRequest = requestId;
    if (usage.cost !== undefined) {
      this.lastCost = usage.cost;
      this.workspace.add(usage.cost);
    }
    if (usage.balance !== undefined) this.know(usage.balance);
    this.show();
  }

  /** As `spent`, for ghost text: counted apart, so that the last answer's receipt stays. */
  completed(usage: Usage | undefined): void {
    if (usage?.cost !== undefined) {
      this.completions.add(usage.cost);
      this.workspace.add(usage.cost);
    }
    if (usage?.balance !== undefined) this.know(usage.balance);
    this.show();
  }

  async refresh(): Promise<void> {
    if (!(await this.account.signedIn())) {
      this.item.text = "$(account) Marketplace: sign in";
      this.item.tooltip = `${this.account.origin}: nobody is signed in`;
      this.item.command = "agentMarketplace.signIn";
      return;
    }
    try {
      this.know((await balance(this.account.api)).available);
      this.show();
      if (this.away) this.back.fire();
      this.away = false;
    } catch (error) {
      this.away = true;
      this.item.text = "$(warning) Marketplace";
      this.item.tooltip = error instanceof Error ? error.message : String(error);
      this.item.command = "agentMarketplace.manage";
    }
  }

  dispose(): void {
    clearInterval(this.timer);
    this.back.dispose();
    this.item.dispose();
  }

  private know(available: number): void {
    this.available = available;
    if (!this.low.due(available, settings().get<number>("lowBalance", 1))) return;
    const open = "Open my account";
    void vscode.window.showWarningMessage(`Marketplace: ${dollars(available)} are left.`, open).then((chosen) => {
      if (chosen) void this.account.open("/account");
    });
  }

  private show(): void {
    if (this.available === undefined) return;
    const last = this.lastCost === undefined ? "" : ` · ${dollars(this.lastCost)}`;
    this.item.text = `$(credit-card) ${dollars(this.available)}${last}`;
    const { spent, calls } = this.completions.now;
    this.item.tooltip = [
      `${dollars(this.available)} to spend at ${this.account.origin}`,
      this.lastCost === undefined ? "No answer yet in this window" : `The last answer cost ${dollars(this.lastCost)}`,
      `Ghost text today: ${dollars(spent)} for ${calls} completions; this workspace: ${dollars(this.workspace.now.spent)}`,
      "Click for the receipt",
    ].join("\n");
    this.item.command = "agentMarketplace.receipt";
  }
}

function daySpend(memento: vscode.Memento, name: string): DaySpend {
  const key = `agentMarketplace.${name}`;
  return new DaySpend(
    () => memento.get<Kept>(key),
    (kept) => void memento.update(key, kept),
  );
}
