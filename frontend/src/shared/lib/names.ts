/** Display words for a capability or provider: `function_calling` -> `function calling`. */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}

const providerNames: Record<string, string> = {
  openai: "OpenAI",
  anthropic: "Anthropic",
  google: "Google",
  gemini: "Google Gemini",
  huggingface: "Hugging Face",
  ollama: "Ollama",
  local: "This computer",
  openrouter: "OpenRouter",
  mistral: "Mistral",
  deepseek: "DeepSeek",
  groq: "Groq",
  xai: "xAI",
  zai: "Z.ai",
  "google-vertex": "Google Vertex",
  wandb: "W&B",
  vercel: "Vercel",
  ovhcloud: "OVHcloud",
  sambanova: "SambaNova",
  github_copilot: "GitHub Copilot",
  ai21: "AI21",
  watsonx: "IBM watsonx",
  cohere: "Cohere",
  bedrock: "Amazon Bedrock",
  azure: "Azure",
  vertex: "Google Vertex",
  together: "Together",
  fireworks: "Fireworks",
  deepinfra: "DeepInfra",
  perplexity: "Perplexity",
  cerebras: "Cerebras",
  nvidia: "NVIDIA",
};

export function providerName(id: string): string {
  return providerNames[id] ?? words(id).replace(/^./, (first) => first.toUpperCase());
}
