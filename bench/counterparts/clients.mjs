// JavaScript's clients against a running marketplace whose providers are `tests.fakes.upstream`: README.md has the commands.
//     node clients.mjs http://127.0.0.1:8177 KEY          every client, every provider's wire: plain, streamed, a refusal
//     node clients.mjs http://127.0.0.1:8177 KEY broken   the provider fails in mid-stream: every client must say so
import Anthropic from "@anthropic-ai/sdk";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ApiError, GoogleGenAI } from "@google/genai";
import { APICallError, generateText, streamText } from "ai";
import { Ollama } from "ollama";
import OpenAI from "openai";

const [url, key, mode] = process.argv.slice(2);
const MODELS = { openai: "gpt-4o-mini", anthropic: "claude-haiku-4-5", google: "gemini-2.5-flash" };
const TEXT = "Hello from the fake upstream .";
const says = (text) => [{ role: "user", content: text }];
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
const google = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });
const ollama = new Ollama({ host: url, headers: { Authorization: `Bearer ${key}` } });

async function joined(stream, piece) {
  let text = "";
  for await (const event of stream) text += piece(event) ?? "";
  return text;
}

const vercel = (make) => ({
  plain: async (model) => (await generateText({ model: make(model), prompt: "Hi", maxRetries: 0 })).text,
  stream: async (model) => {
    let failure;
    const { textStream } = streamText({ model: make(model), prompt: "Hi", maxRetries: 0, onError: ({ error }) => (failure = error) });
    const text = await joined(textStream, (piece) => piece);
    if (failure) throw failure;
    return text;
  },
  refused: (error) => APICallError.isInstance(error) && error.statusCode === 404,
});

const CLIENTS = {
  openai: {
    plain: async (model) => (await openai.chat.completions.create({ model, messages: says("Hi") })).choices[0].message.content,
    stream: async (model) => (await openai.chat.completions.stream({ model, messages: says("Hi") }).finalChatCompletion()).choices[0].message.content,
    refused: (error) => error instanceof OpenAI.NotFoundError,
  },
  "openai, responses": {
    plain: async (model) => (await openai.responses.create({ model, input: "Hi" })).output_text,
    stream: async (model) => (await openai.responses.stream({ model, input: "Hi" }).finalResponse()).output_text,
    refused: (error) => error instanceof OpenAI.NotFoundError,
  },
  "@anthropic-ai/sdk": {
    plain: async (model) => (await anthropic.messages.create({ model, max_tokens: 99, messages: says("Hi") })).content[0].text,
    stream: async (model) => anthropic.messages.stream({ model, max_tokens: 99, messages: says("Hi") }).finalText(),
    refused: (error) => error instanceof Anthropic.NotFoundError,
  },
  "@google/genai": {
    plain: async (model) => (await google.models.generateContent({ model, contents: "Hi" })).text,
    stream: async (model) => joined(await google.models.generateContentStream({ model, contents: "Hi" }), (chunk) => chunk.text),
    refused: (error) => error instanceof ApiError && error.status === 404,
  },
  ollama: {
    plain: async (model) => (await ollama.chat({ model, messages: says("Hi") })).message.content,
    stream: async (model) => joined(await ollama.chat({ model, messages: says("Hi"), stream: true }), (line) => line.message.content),
    refused: (error) => error.status_code === 404,
  },
  "ai + @ai-sdk/openai": vercel((model) => createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).chat(model)),
  "ai + @ai-sdk/openai, responses": vercel((model) => createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).responses(model)),
  "ai + @ai-sdk/anthropic": vercel((model) => createAnthropic({ baseURL: `${url}/v1`, apiKey: key })(model)),
  "ai + @ai-sdk/google": vercel((model) => createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey: key })(model)),
  "ai + @ai-sdk/openai-compatible": vercel((model) => createOpenAICompatible({ name: "market", baseURL: `${url}/v1`, apiKey: key })(model)),
};

async function outcome(work, good) {
  try {
    return good(await work(), undefined) ? "ok" : "WRONG";
  } catch (error) {
    return good(undefined, error) ? "ok" : `${error?.constructor?.name}: ${String(error?.message).slice(0, 80)}`;
  }
}

globalThis.AI_SDK_LOG_WARNINGS = false;
let bad = 0;
const same = (text) => text?.trim() === TEXT;
for (const [name, client] of Object.entries(CLIENTS)) {
  const cells = [];
  for (const model of Object.values(MODELS)) {
    if (mode === "broken") cells.push(await outcome(() => client.stream(model), (_, error) => error !== undefined));
    else cells.push(await outcome(() => client.plain(model), same), await outcome(() => client.stream(model), same));
  }
  if (mode !== "broken") cells.push(await outcome(() => client.plain("no-such-model-at-all"), (_, error) => error && client.refused(error)));
  bad += cells.filter((cell) => cell !== "ok").length;
  console.log(`| ${[name, ...cells].join(" | ")} |`);
}
process.exit(bad ? 1 : 0);
