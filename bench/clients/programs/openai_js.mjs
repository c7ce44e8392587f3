// The task with OpenAI's SDK for JavaScript and its tool runner: openai_js.mjs ORIGIN KEY MODEL PROMPT
import { execSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import OpenAI from "openai";

const [origin, key, model, prompt] = process.argv.slice(2);
const words = (...names) => ({
  type: "object",
  properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
  required: names,
});
const tool = (name, description, parameters, run) => ({
  type: "function",
  function: { name, description, parameters, parse: JSON.parse, function: run },
});
const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: key });
const running = client.chat.completions.runTools({
  model,
  stream: true,
  messages: [{ role: "user", content: prompt }],
  tools: [
    tool("read_file", "Read a text file", words("path"), ({ path }) => readFileSync(path, "utf8")),
    tool("edit", "Replace a text in a file", words("path", "old_string", "new_string"), (given) => {
      writeFileSync(given.path, readFileSync(given.path, "utf8").replace(given.old_string, given.new_string));
      return "edited";
    }),
    tool("bash", "Run a command in a shell", words("command"), ({ command }) => execSync(command, { encoding: "utf8" })),
  ],
});
console.log(await running.finalContent());
