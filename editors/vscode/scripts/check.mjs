// The core knows nothing of the editor, every command of the manifest is there and no other, and files stay readable.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const MOST_LINES = 300;
const problems = [];
const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
for (const name of sources) {
  const text = readFileSync(join(root, "src", name), "utf8");
  if (text.split("\n").length > MOST_LINES) problems.push(`src/${name}: more than ${MOST_LINES} lines`);
  if (name.startsWith("core") && /from "(vscode|\.\.\/)/.test(text))
    problems.push(`src/${name}: the core imports nothing of the editor`);
}
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const listed = new Set(manifest.contributes.commands.map(({ command }) => command));
const acts =
  /const acts: [^\n]*> = \{([\s\S]*?)\n {2}\};/.exec(readFileSync(join(root, "src/extension.ts"), "utf8"))?.[1] ?? "";
const made = new Set([...acts.matchAll(/^ {4}(\w+):/gm)].map(([, name]) => `agentMarketplace.${name}`));
for (const name of listed) if (!made.has(name)) problems.push(`package.json: ${name} is not registered`);
for (const name of made) if (!listed.has(name)) problems.push(`extension.ts: ${name} is not in package.json`);
if (problems.length > 0) {
  process.stderr.write(`${problems.join("\n")}\n`);
  process.exit(1);
}
