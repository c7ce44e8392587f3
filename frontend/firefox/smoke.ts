// `make firefox-test`: a few flows in a Firefox as it comes (Debian's firefox-esr, or FIREFOX), over WebDriver BiDi, against a server of
// its own. Playwright's Firefox is a build that no package registry has; Debian's does not know a command that Playwright needs.
import { OwnServer } from "../e2e/own-server.ts";
import { Firefox } from "./browser.ts";

const password = "correct horse battery staple";
const DIAGRAM = "```mermaid\nflowchart TD\n  A[Start] --> B[End]\n```\n\nand $$x^2$$";

async function post(url: string, data: unknown, token?: string): Promise<Record<string, unknown>> {
  const headers = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const reply = await fetch(url, { method: "POST", headers, body: JSON.stringify(data) });
  if (!reply.ok) throw new Error(`${url}: ${await reply.text()}`);
  return (await reply.json()) as Record<string, unknown>;
}

async function account(url: string): Promise<string> {
  const { token } = await post(`${url}/api/v1/marketplace/auth/signup`, { email: "fox@example.com", password });
  const said = (role: string, words: string) => ({ author: { role }, content: { content_type: "text", parts: [words] } });
  const mapping = {
    a: { parent: null, message: said("user", "Draw it") },
    b: { parent: "a", message: said("assistant", DIAGRAM) },
  };
  const chat = { title: "Drawn", create_time: 1_700_000_000, current_node: "b", mapping };
  await post(`${url}/api/v1/agents/import`, [chat], String(token));
  return String(token);
}

const server = await OwnServer.start({ MARKETPLACE_LOCAL_MODEL: "on" });
const firefox = await Firefox.start(process.env.FIREFOX ?? "firefox-esr");
const { url } = server;
const editor = "document.querySelector('[data-testid=code-editor]')?.shadowRoot?.querySelector('.cm-content')";
const composer = "document.querySelector('form[aria-label=Message] textarea')";

const flows: [string, () => Promise<void>][] = [
  [
    "a newcomer sees models, and can search them",
    async () => {
      await firefox.open(url);
      await firefox.until("document.querySelectorAll('[role=gridcell]').length > 3");
      await firefox.evaluate("document.querySelector('[role=search] input').focus()");
      await firefox.type("smollm");
      await firefox.until("document.querySelector('[role=gridcell]').innerText.includes('SmolLM')");
    },
  ],
  [
    "a question is answered and has its cost",
    async () => {
      const token = await account(url);
      await firefox.evaluate(`localStorage.setItem('token', ${JSON.stringify(token)})`);
      await firefox.open(`${url}/chat?model=smollm2-135m`);
      await firefox.until(composer);
      await firefox.evaluate(`${composer}.focus()`);
      await firefox.type("Say one word.");
      await firefox.until("document.body.innerText.includes('This message: free')");
      await firefox.type("\uE007");
      await firefox.until("document.querySelector('[aria-label=\"Answer again\"]')", 120_000);
      await firefox.until("/\\d+ in · \\d+ out/.test(document.body.innerText)");
    },
  ],
  [
    "a draft survives a reload",
    async () => {
      await firefox.evaluate(`${composer}.focus()`);
      await firefox.type("the next question");
      await firefox.reload();
      await firefox.until(`${composer}?.value === 'the next question'`);
    },
  ],
  [
    "code typed in the editor survives a reload",
    async () => {
      await firefox.open(`${url}/?pane=editor`);
      await firefox.until(editor);
      await firefox.evaluate(`${editor}.focus()`);
      await firefox.type("kept = 42");
      await firefox.until(`${editor}.innerText.includes('kept = 42')`);
      await firefox.until("!document.body.innerText.includes('does not keep what you type')");
      await firefox.reload();
      await firefox.until(`${editor}?.innerText.includes('kept = 42')`);
    },
  ],
  [
    "a diagram and a formula are drawn",
    async () => {
      await firefox.open(`${url}/chat`);
      const chat =
        "[...document.querySelectorAll('nav[aria-label=\"Chat history\"] a')].find((b) => b.innerText.startsWith('Drawn'))";
      await firefox.until(chat);
      await firefox.evaluate(`${chat}.click()`);
      await firefox.until("document.querySelector('math')");
      await firefox.until("document.querySelector('img[alt^=\"Diagram: \"]')?.naturalWidth > 40", 60_000);
    },
  ],
];

let failed = 0;
process.stdout.write(`Firefox ${firefox.version}\n`);
try {
  for (const [name, run] of flows) {
    const started = Date.now();
    const problem = await run().then(
      () => "",
      (error: Error) => error.message,
    );
    failed += problem ? 1 : 0;
    process.stdout.write(
      `${problem ? "FAILED" : "ok    "} ${name} (${Date.now() - started} ms)${problem && `: ${problem}`}\n`,
    );
  }
  for (const text of firefox.problems) process.stdout.write(`FAILED the page threw: ${text}\n`);
} finally {
  firefox.stop();
  server.stop();
}
process.stdout.write(`${flows.length - failed} passed, ${failed + firefox.problems.length} failed\n`);
process.exit(failed + firefox.problems.length > 0 ? 1 : 0);
