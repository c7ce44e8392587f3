// The task with Vercel's `ai`, streamed: ai_sdk.mjs ORIGIN KEY MODEL PROMPT
import { execSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const [origin, key, model, prompt] = process.argv.slice(2);
const marketplace = createOpenAICompatible({ name: "marketplace", baseURL: `${origin}/v1`, apiKey: key });
const running = streamText({
  model: marketplace(model),
  prompt,
  stopWhen: stepCountIs(8),
  tools: {
    read_file: tool({
      description: "Read a text file",
      inputSchema: z.object({ path: z.string() }),
      execute: ({ path }) => readFileSync(path, "utf8"),
    }),
    edit: tool({
      description: "Replace a text in a file",
      inputSchema: z.object({ path: z.string(), old_string: z.string(), new_string: z.string() }),
      execute: ({ path, old_string, new_string }) => {
        writeFileSync(path, readFileSync(path, "utf8").replace(old_string, new_string));
        return "edited";
      },
    }),
    bash: tool({
      description: "Run a command in a shell",
      inputSchema: z.object({ command: z.string() }),
      execute: ({ command }) => execSync(command, { encoding: "utf8" }),
    }),
  },
  onError: ({ error }) => {
    throw error;
  },
});
console.log(await running.text);
