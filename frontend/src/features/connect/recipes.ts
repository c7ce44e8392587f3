/** What every tool needs. `origin` has no trailing slash; `key` is a marketplace key; tokens for the limits. */
export interface Connection {
  origin: string;
  key: string;
  modelId: string;
  modelName: string;
  context: number;
  maxOutput: number;
  vision: boolean;
}

export interface Recipe {
  id: string;
  tool: string;
  /** Where the text goes. */
  where: string;
  text: string;
  /** A second step, where there is one. */
  next?: { where: string; text: string };
}

const json = (value: unknown) => JSON.stringify(value, null, 2);
const quote = (text: string) => JSON.stringify(text);

/** Ready-made settings for each tool, with this address, key and model in place. */
export function recipes(c: Connection): Recipe[] {
  return [...editors(c), ...terminals(c), ...sdks(c)];
}

function editors({ origin, key, modelId, modelName, context, maxOutput, vision }: Connection): Recipe[] {
  const base = `${origin}/v1`;
  const name = `${modelName} (Marketplace)`;
  return [
    {
      id: "continue",
      tool: "Continue",
      where: "~/.continue/config.yaml",
      text: `name: Marketplace
version: 1.0.0
schema: v1
models:
  - name: ${quote(modelName)}
    provider: openai
    model: ${modelId}
    apiBase: ${base}
    apiKey: ${key}
    roles: [chat, edit, apply]
`,
    },
    {
      id: "cline",
      tool: "Cline",
      where: "Cline settings, API provider “OpenAI Compatible”",
      text: `Base URL: ${base}
API key:  ${key}
Model ID: ${modelId}`,
    },
    {
      id: "vscode",
      tool: "VS Code",
      where: "Command “Chat: Manage Language Models”, Add Models, Custom Endpoint; then chatLanguageModels.json",
      text: json([
        {
          name: "Marketplace",
          vendor: "customendpoint",
          apiKey: key,
          apiType: "chat-completions",
          models: [
            {
              id: modelId,
              name,
              url: `${base}/chat/completions`,
              toolCalling: true,
              vision,
              maxInputTokens: context,
              maxOutputTokens: maxOutput,
            },
          ],
        },
      ]),
    },
    {
      id: "zed",
      tool: "Zed",
      where: "settings.json (command “zed: open settings”)",
      text: json({
        language_models: {
          openai_compatible: {
            Marketplace: {
              api_url: base,
              available_models: [
                {
                  name: modelId,
                  display_name: name,
                  max_tokens: context,
                  max_output_tokens: maxOutput,
                  capabilities: { tools: true, images: vision },
                },
              ],
            },
          },
        },
      }),
      next: {
        where: "The key: in Zed's provider settings, or in the shell that starts Zed",
        text: `export MARKETPLACE_API_KEY=${key}`,
      },
    },
  ];
}

function terminals({ origin, key, modelId }: Connection): Recipe[] {
  const base = `${origin}/v1`;
  return [
    {
      id: "aider",
      tool: "aider",
      where: "In your project's folder",
      text: `export OPENAI_API_BASE=${base}
export OPENAI_API_KEY=${key}
aider --model openai/${modelId}`,
    },
    {
      id: "llm",
      tool: "llm",
      where: 'extra-openai-models.yaml in the folder that `dirname "$(llm logs path)"` prints',
      text: `- model_id: marketplace
  model_name: ${modelId}
  api_base: ${base}
  api_key_name: marketplace
`,
      next: { where: "Then", text: `llm keys set marketplace --value ${key}\nllm -m marketplace "Hello"` },
    },
    {
      id: "curl",
      tool: "curl",
      where: "In a terminal",
      text: `curl ${base}/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${modelId}", "messages": [{"role": "user", "content": "Hello"}]}'`,
    },
  ];
}

function sdks({ origin, key, modelId }: Connection): Recipe[] {
  const base = `${origin}/v1`;
  return [
    {
      id: "openai-python",
      tool: "OpenAI SDK (Python)",
      where: "pip install openai",
      text: `from openai import OpenAI

client = OpenAI(base_url="${base}", api_key="${key}")
reply = client.chat.completions.create(
    model="${modelId}",
    messages=[{"role": "user", "content": "Hello"}],
)
print(reply.choices[0].message.content)`,
    },
    {
      id: "openai-js",
      tool: "OpenAI SDK (JavaScript)",
      where: "npm install openai",
      text: `import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${base}", apiKey: "${key}" });
const reply = await client.chat.completions.create({
  model: "${modelId}",
  messages: [{ role: "user", content: "Hello" }],
});
console.log(reply.choices[0].message.content);`,
    },
    {
      id: "anthropic-python",
      tool: "Anthropic SDK (Python)",
      where: "pip install anthropic",
      text: `from anthropic import Anthropic

client = Anthropic(base_url="${origin}", api_key="${key}")
reply = client.messages.create(
    model="${modelId}",
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello"}],
)
print(reply.content[0].text)`,
    },
    {
      id: "gemini-python",
      tool: "Google Gen AI SDK (Python)",
      where: "pip install google-genai",
      text: `from google import genai
from google.genai import types

client = genai.Client(api_key="${key}", http_options=types.HttpOptions(base_url="${origin}"))
reply = client.models.generate_content(model="${modelId}", contents="Hello")
print(reply.text)`,
    },
  ];
}
