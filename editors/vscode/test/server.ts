import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Api } from "../src/core/api";

const root = fileURLToPath(new URL("../../..", import.meta.url));

export interface Who {
  token: string;
  key: string;
  email: string;
}

/** The real server over an empty data directory, and the scripted provider behind it: backend/tests/fakes/for_editors.py. */
export class Server {
  private constructor(
    private readonly process: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    readonly url: string,
    readonly owner: Who,
  ) {}

  static async start(): Promise<Server> {
    const process = spawn(`${root}.venv/bin/python`, ["-m", "tests.fakes.for_editors"], {
      cwd: `${root}backend`,
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) throw new Error("the server did not come up");
    const { url, ...owner } = JSON.parse(first.value) as Who & { url: string };
    return new Server(process, lines, url, owner);
  }

  async tell<T>(asked: object): Promise<T> {
    this.process.stdin?.write(`${JSON.stringify(asked)}\n`);
    return JSON.parse((await this.lines.next()).value) as T;
  }

  /** What the provider does from now on: fields of the fake's `Behaviour`. */
  script(...behaviours: object[]): Promise<unknown> {
    return this.tell({ script: behaviours });
  }

  async asked(): Promise<number> {
    return (await this.tell<{ seen: unknown[] }>({ seen: true })).seen.length;
  }

  api(key: string | undefined = this.owner.key): Api {
    return new Api({ origin: this.url, key: async () => key });
  }

  async stop(): Promise<void> {
    const gone = new Promise((done) => this.process.once("exit", done));
    this.process.stdin?.end();
    await gone;
  }
}
