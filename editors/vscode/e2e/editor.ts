import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server } from "../test/server";

const UP_MS = 60_000;

/** VS Code's own code on loopback (code-server), over an empty profile, with the extension as our running server hands it out. */
export class Editor {
  private constructor(
    readonly server: Server,
    readonly url: string,
    private readonly home: string,
    /** The minor version of VS Code, such as 105. */
    readonly level: number,
    private readonly stopEditor: () => Promise<void>,
  ) {}

  static async start(): Promise<Editor> {
    const server = await Server.start();
    const home = mkdtempSync(join(tmpdir(), "marketplace-editor-"));
    const folder = join(home, "project");
    mkdirSync(folder);
    writeFileSync(join(folder, "adder.py"), 'def add(a, b):\n    """The sum."""\n    return \n\n\nprint(add(1, 2))\n');
    const user = join(home, "user", "User");
    mkdirSync(user, { recursive: true });
    writeFileSync(join(user, "settings.json"), JSON.stringify(settings(server.url)));
    const vsix = join(home, "extension.vsix");
    const reply = await fetch(`${server.url}/editors/vscode`);
    if (!reply.ok) throw new Error(`no extension at the server: ${await reply.text()}`);
    writeFileSync(vsix, Buffer.from(await reply.arrayBuffer()));
    const where = ["--user-data-dir", join(home, "user"), "--extensions-dir", join(home, "extensions")];
    const [command, environment] = codeServer(home);
    execFileSync(command, [...where, "--install-extension", vsix], { env: environment, stdio: "pipe" });
    const port = 8300 + Math.floor(Math.random() * 600);
    const more = ["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check"];
    const process_ = spawn(command, [...where, ...more, "--disable-workspace-trust", folder], {
      env: environment,
      stdio: "pipe",
    });
    const gone = new Promise<void>((done) => process_.once("exit", () => done()));
    const url = `http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}`;
    const latest = Date.now() + UP_MS;
    while (
      !(await fetch(`http://127.0.0.1:${port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      if (Date.now() > latest) throw new Error("code-server did not come up");
      await new Promise((again) => setTimeout(again, 200));
    }
    const version = execFileSync(command, ["--version"], { env: environment, encoding: "utf8" });
    const level = Number(/with Code 1\.(\d+)/.exec(version)?.[1] ?? Number.NaN);
    return new Editor(server, url, home, level, async () => {
      process_.kill("SIGTERM");
      await gone;
    });
  }

  /** The project's folder. */
  get folder(): string {
    return join(this.home, "project");
  }

  /** Changes the user's settings, as a hand in settings.json would. */
  set(changes: object): void {
    writeFileSync(
      join(this.home, "user", "User", "settings.json"),
      JSON.stringify({ ...settings(this.server.url), ...changes }),
    );
  }

  async stop(): Promise<void> {
    await this.stopEditor();
    await this.server.stop();
    if (process.env.KEEP_LOGS) cpSync(join(this.home, "user", "logs"), process.env.KEEP_LOGS, { recursive: true });
    rmSync(this.home, { recursive: true, force: true });
  }
}

function settings(server: string): object {
  return {
    "agentMarketplace.server": server,
    "agentMarketplace.model": "gpt-4o-mini",
    // What names chats asks a server of its own, so that the scripted one is asked by the tests alone.
    "agentMarketplace.models": ["gpt-4o-mini", "tiny-coder"],
    "chat.utilityModel": "agent-marketplace/tiny-coder",
    "chat.utilitySmallModel": "agent-marketplace/tiny-coder",
    "workbench.startupEditor": "none",
    "workbench.colorTheme": "Default Dark Modern",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.allowAnonymousAccess": true,
    "security.workspace.trust.enabled": false,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoCheckUpdates": false,
    "window.menuBarVisibility": "hidden",
    "editor.inlineSuggest.enabled": true,
    "editor.quickSuggestions": { other: "off", comments: "off", strings: "off" },
  };
}

/** CODE_SERVER, or where `make editor-test` puts it. */
export function codeServer(home = tmpdir()): [string, NodeJS.ProcessEnv] {
  const folder = process.env.CODE_SERVER ?? "";
  const command = join(folder, "node_modules/.bin/code-server");
  if (!folder || !existsSync(command)) throw new Error("CODE_SERVER names no code-server: make editor-test brings it");
  const path = [process.env.CODE_SERVER_NODE, process.env.PATH].filter(Boolean).join(":");
  return [command, { PATH: path, HOME: home, LANG: "C.UTF-8" }];
}
