import * as vscode from "vscode";
import { allowed, unspending } from "../core/panel";
import type { Account } from "./account";

/** What the page in the side bar asks of the editor. Money and keys stay here: the page never sees the key. */
type Asked =
  | { kind: "fetch"; id: number; method: string; path: string; body?: string }
  | { kind: "signIn" }
  | { kind: "open"; url: string }
  | { kind: "copy"; id: number; text: string }
  | { kind: "use"; model: string }
  | { kind: "keep"; key: string; value: string | null };

const KEPT = "agentMarketplace.panel";
export class Panel implements vscode.WebviewViewProvider {
  static readonly id = "agentMarketplace.panel";
  private view: vscode.WebviewView | undefined;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly account: Account,
  ) {
    account.onDidChange(() => void this.greet());
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    const { webview } = view;
    const root = vscode.Uri.joinPath(this.context.extensionUri, "dist", "panel");
    webview.options = { enableScripts: true, localResourceRoots: [root] };
    webview.onDidReceiveMessage((asked: Asked) => void this.answer(webview, asked));
    view.onDidDispose(() => {
      this.view = undefined;
    });
    void this.page(webview, root).then((html) => {
      webview.html = html;
    });
  }

  private async page(webview: vscode.Webview, root: vscode.Uri): Promise<string> {
    const nonce = crypto.randomUUID().replaceAll("-", "");
    const file = (name: string) => String(webview.asWebviewUri(vscode.Uri.joinPath(root, name)));
    const policy = [
      "default-src 'none'",
      // The chunks that the entry imports come from the extension's own folder.
      `script-src 'nonce-${nonce}' ${webview.cspSource}`,
      `style-src ${webview.cspSource}`,
      `img-src ${webview.cspSource} data:`,
      `font-src ${webview.cspSource}`,
      "connect-src 'none'",
    ].join("; ");
    const start = JSON.stringify(await this.start())
      .replaceAll("<", "\\u003c")
      .replaceAll('"', "&quot;");
    return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${file("panel.css")}">
<title>AI Agent Marketplace</title></head>
<body><div id="root" data-start="${start}"></div>
<script type="module" nonce="${nonce}" src="${file("panel.js")}"></script></body></html>`;
  }

  private async start(): Promise<{ signedIn: boolean; origin: string; kept: Record<string, string> }> {
    const kept = this.context.globalState.get<Record<string, string>>(KEPT, {});
    return { signedIn: await this.account.signedIn(), origin: this.account.origin, kept };
  }

  private async greet(): Promise<void> {
    await this.view?.webview.postMessage({
      kind: "session",
      signedIn: await this.account.signedIn(),
      origin: this.account.origin,
    });
  }

  private async answer(webview: vscode.Webview, asked: Asked): Promise<void> {
    if (asked.kind === "fetch") await webview.postMessage({ kind: "reply", id: asked.id, ...(await this.fetch(asked)) });
    else if (asked.kind === "signIn") await vscode.commands.executeCommand("agentMarketplace.signIn");
    else if (asked.kind === "open" && /^https?:\/\//.test(asked.url))
      await vscode.env.openExternal(vscode.Uri.parse(asked.url));
    else if (asked.kind === "copy") {
      await vscode.env.clipboard.writeText(asked.text);
      await webview.postMessage({ kind: "reply", id: asked.id, status: 200, text: "" });
    } else if (asked.kind === "use") await vscode.commands.executeCommand("agentMarketplace.addModel", asked.model);
    else if (asked.kind === "keep") await this.keep(asked.key, asked.value);
  }

  private async keep(key: string, value: string | null): Promise<void> {
    const { [key]: _before, ...others } = this.context.globalState.get<Record<string, string>>(KEPT, {});
    await this.context.globalState.update(KEPT, value === null ? others : { ...others, [key]: value });
  }

  private async fetch({ method, path, body }: Extract<Asked, { kind: "fetch" }>): Promise<{ status: number; text: string }> {
    const asked = allowed(this.account.origin, method, path);
    if (asked === null) return { status: 403, text: '{"success":false,"error":"Not from the side bar","code":"forbidden"}' };
    try {
      const response = await this.account.api.raw(method, asked, unspending(asked, body));
      return { status: response.status, text: await response.text() };
    } catch (error) {
      return { status: 0, text: error instanceof Error ? error.message : String(error) };
    }
  }
}
