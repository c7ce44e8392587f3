import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const STEP_MS = 30_000;

type Reply = { id?: number; type: string; method?: string; result?: unknown; params?: unknown; message?: string };
type Value = { type: string; value?: unknown };

/** A Firefox as it comes, told what to do over WebDriver BiDi; no more of the protocol than the smoke test uses. */
export class Firefox {
  private next = 0;
  private readonly waiting = new Map<number, (reply: Reply) => void>();
  private context = "";
  /** What pages threw, and what their policies stopped. */
  readonly problems: string[] = [];
  version = "";

  private constructor(
    private readonly process: ChildProcess,
    private readonly line: WebSocket,
  ) {
    line.addEventListener("message", ({ data }) => this.hear(JSON.parse(String(data)) as Reply));
  }

  static async start(program: string): Promise<Firefox> {
    const profile = mkdtempSync(join(tmpdir(), "marketplace-firefox-"));
    const child = spawn(program, ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]);
    const address = await new Promise<string>((resolve, reject) => {
      let said = "";
      const hear = (text: Buffer) => {
        said += String(text);
        const found = /WebDriver BiDi listening on (ws:\S+)/.exec(said)?.[1];
        if (found) resolve(found);
      };
      child.stderr.on("data", hear);
      child.stdout.on("data", hear);
      child.on("error", reject);
      child.on("exit", () => reject(new Error(said)));
    });
    const line = new WebSocket(`${address}/session`);
    await new Promise((open, fail) => {
      line.addEventListener("open", open);
      line.addEventListener("error", () => fail(new Error(`no connection to ${address}`)));
    });
    const firefox = new Firefox(child, line);
    const { capabilities } = (await firefox.send("session.new", { capabilities: {} })) as {
      capabilities: { browserVersion: string };
    };
    firefox.version = capabilities.browserVersion;
    await firefox.send("session.subscribe", { events: ["log.entryAdded"] });
    const { context } = (await firefox.send("browsingContext.create", { type: "tab" })) as { context: string };
    firefox.context = context;
    return firefox;
  }

  stop(): void {
    this.line.close();
    this.process.removeAllListeners("exit");
    this.process.kill();
  }

  async open(url: string): Promise<void> {
    await this.send("browsingContext.navigate", { context: this.context, url, wait: "complete" });
  }

  async reload(): Promise<void> {
    await this.send("browsingContext.reload", { context: this.context, wait: "complete" });
  }

  /** What an expression says in the page: a text, a number, a truth value or null. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = (await this.send("script.evaluate", {
      expression,
      target: { context: this.context },
      awaitPromise: true,
    })) as { result: Value; exceptionDetails?: { text: string } };
    if (exceptionDetails) throw new Error(exceptionDetails.text);
    return result.value ?? null;
  }

  /** Until the expression is true. */
  async until(expression: string, milliseconds = STEP_MS): Promise<void> {
    const end = Date.now() + milliseconds;
    while (!(await this.evaluate(`Boolean(${expression})`))) {
      if (Date.now() > end) throw new Error(`it did not come to: ${expression}`);
      await new Promise((rest) => setTimeout(rest, 100));
    }
  }

  /** Types as a keyboard does; Enter is `\uE007`. */
  async type(text: string): Promise<void> {
    const actions = [...text].flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    await this.send("input.performActions", { context: this.context, actions: [{ type: "key", id: "keys", actions }] });
  }

  private send(method: string, params: object): Promise<unknown> {
    this.next += 1;
    const id = this.next;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), STEP_MS);
      this.waiting.set(id, (reply) => {
        clearTimeout(timer);
        if (reply.type === "error") reject(new Error(`${method}: ${reply.message}`));
        else resolve(reply.result);
      });
      this.line.send(JSON.stringify({ id, method, params }));
    });
  }

  private hear(reply: Reply): void {
    if (reply.id !== undefined) {
      this.waiting.get(reply.id)?.(reply);
      this.waiting.delete(reply.id);
    } else if (reply.method === "log.entryAdded") {
      const { type, level, text } = reply.params as { type: string; level: string; text: string };
      if (type === "javascript" && level === "error") this.problems.push(text);
    }
  }
}
