import * as vscode from "vscode";
import type { Account } from "./account";

/** The marketplace's MCP server, offered to every chat of the editor; the key is filled in when it is started. */
export function mcpServers(account: Account): vscode.Disposable | null {
  if (typeof vscode.lm.registerMcpServerDefinitionProvider !== "function") return null;
  const changed = new vscode.EventEmitter<void>();
  const registered = vscode.lm.registerMcpServerDefinitionProvider("agentMarketplace.mcp", {
    onDidChangeMcpServerDefinitions: changed.event,
    async provideMcpServerDefinitions() {
      if (!(await account.signedIn())) return [];
      return [
        new vscode.McpHttpServerDefinition("AI Agent Marketplace", vscode.Uri.parse(`${account.origin}/mcp`), {}, "1"),
      ];
    },
    async resolveMcpServerDefinition(server) {
      const key = await account.key();
      if (server instanceof vscode.McpHttpServerDefinition && key) server.headers = { Authorization: `Bearer ${key}` };
      return server;
    },
  });
  const listening = account.onDidChange(() => changed.fire());
  return vscode.Disposable.from(registered, changed, listening);
}
