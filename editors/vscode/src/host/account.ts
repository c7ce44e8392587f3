import * as vscode from "vscode";
import { Api } from "../core/api";
import { isPlainText, originOf, signIn } from "../core/device";

const SCOPES = ["inference", "account:read", "account:write"];
const SERVERS = "agentMarketplace.servers";
const secretOf = (origin: string) => `key ${origin}`;

export const settings = (scope?: vscode.ConfigurationScope) => vscode.workspace.getConfiguration("agentMarketplace", scope);

/** Which server is in use, and the key for it: one a server, in the editor's secret storage and nowhere else. */
export class Account implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;
  private readonly listening: vscode.Disposable[];

  constructor(private readonly context: vscode.ExtensionContext) {
    this.listening = [
      this.changed,
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration("agentMarketplace.server")) this.changed.fire();
      }),
      context.secrets.onDidChange(({ key }) => {
        if (key === secretOf(this.origin)) this.changed.fire();
      }),
    ];
  }

  get origin(): string {
    return originOf(settings().get<string>("server", "")) ?? "http://127.0.0.1:8000";
  }

  get api(): Api {
    const { origin } = this;
    return new Api({ origin, key: () => Promise.resolve(this.context.secrets.get(secretOf(origin))) });
  }

  async key(): Promise<string | undefined> {
    return this.context.secrets.get(secretOf(this.origin));
  }

  async signedIn(): Promise<boolean> {
    return (await this.key()) !== undefined;
  }

  /** By device code: the browser asks, nobody copies a key. True: there is a key now. */
  async signIn(): Promise<boolean> {
    const { origin } = this;
    if (isPlainText(origin) && !(await this.acceptPlainText(origin))) return false;
    const key = await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: "Marketplace: waiting for your answer in the browser",
        cancellable: true,
      },
      (progress, token) =>
        signIn(
          {
            origin,
            client: `${vscode.env.appName} on ${hostName()}`,
            scopes: SCOPES,
            wait: (seconds) => pause(seconds, token),
          },
          async (codes) => {
            progress.report({ message: `code ${codes.user_code}` });
            const open = "Open the page";
            void vscode.window
              .showInformationMessage(
                `Type ${codes.user_code} at ${codes.verification_uri}`,
                { modal: false },
                open,
                "Copy the code",
              )
              .then(async (chosen) => {
                if (chosen === open) await vscode.env.openExternal(vscode.Uri.parse(codes.verification_uri_complete));
                else if (chosen) await vscode.env.clipboard.writeText(codes.user_code);
              });
          },
        ),
    );
    await this.keep(key);
    return true;
  }

  async pasteKey(): Promise<boolean> {
    const key = await vscode.window.showInputBox({
      title: `A marketplace key for ${this.origin}`,
      prompt: "From Account, Marketplace keys. It is kept in the editor's secret storage.",
      password: true,
      ignoreFocusOut: true,
      validateInput: (text) =>
        /^sk-aam-[0-9A-Za-z]{38}$/.test(text.trim()) ? null : "A key begins with sk-aam- and has 45 characters.",
    });
    if (!key) return false;
    await this.keep(key.trim());
    return true;
  }

  async signOut(): Promise<void> {
    await this.context.secrets.delete(secretOf(this.origin));
  }

  async switchServer(): Promise<void> {
    const known = this.context.globalState.get<string[]>(SERVERS, []);
    const other = "Another address…";
    const items = [...new Set([this.origin, ...known])].map((label) => ({
      label,
      description: label === this.origin ? "in use" : "",
    }));
    const chosen = await vscode.window.showQuickPick([...items, { label: other, description: "" }], {
      title: "Marketplace server",
    });
    if (!chosen) return;
    const written = chosen.label === other ? await askAddress() : chosen.label;
    const origin = written ? originOf(written) : null;
    if (origin) await settings().update("server", origin, vscode.ConfigurationTarget.Global);
  }

  /** A page of the marketplace, in the browser. */
  async open(path: string): Promise<void> {
    await vscode.env.openExternal(vscode.Uri.parse(this.origin + path));
  }

  dispose(): void {
    for (const one of this.listening) one.dispose();
  }

  private async keep(key: string): Promise<void> {
    await this.context.secrets.store(secretOf(this.origin), key);
    const known = this.context.globalState.get<string[]>(SERVERS, []);
    await this.context.globalState.update(SERVERS, [...new Set([this.origin, ...known])].slice(0, 20));
  }

  private async acceptPlainText(origin: string): Promise<boolean> {
    const go = "Send it all the same";
    const words = `${origin} is not encrypted: whoever is on the way can read your key and your code.`;
    return (await vscode.window.showWarningMessage(words, { modal: true }, go)) === go;
  }
}

function askAddress(): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: "The marketplace's address",
    placeHolder: "https://models.example.com",
    ignoreFocusOut: true,
    validateInput: (text) => (originOf(text) ? null : "Write an address, such as https://models.example.com"),
  });
}

function hostName(): string {
  return vscode.env.remoteName ? `${vscode.env.remoteName} (remote)` : process.platform;
}

function pause(seconds: number, token: vscode.CancellationToken): Promise<void> {
  return new Promise((done, stop) => {
    const timer = setTimeout(done, seconds * 1000);
    token.onCancellationRequested(() => {
      clearTimeout(timer);
      stop(new vscode.CancellationError());
    });
  });
}
