/** Display words for a capability or provider: `function_calling` -> `function calling`. */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}

/** The names of the server's catalogue (catalog/hosts.py), and of makers that offer nothing themselves. */
const providerNames: Record<string, string> = {
  openai: "OpenAI",
  anthropic: "Anthropic",
  google: "Google",
  gemini: "Google Gemini",
  local: "This computer",
  huggingface: "Hugging Face",
  openrouter: "OpenRouter",
  mistral: "Mistral AI",
  deepseek: "DeepSeek",
  xai: "xAI",
  together: "Together AI",
  fireworks: "Fireworks AI",
  deepinfra: "DeepInfra",
  novita: "Novita AI",
  siliconflow: "SiliconFlow",
  alibaba: "Alibaba Cloud",
  moonshotai: "Moonshot AI",
  zai: "Z.ai",
  minimax: "MiniMax",
  ai21: "AI21 Labs",
  "amazon-bedrock": "Amazon Bedrock",
  "google-vertex": "Google Vertex AI",
  cloudflare: "Cloudflare Workers AI",
  sambanova: "SambaNova",
  ovhcloud: "OVHcloud",
  watsonx: "IBM watsonx",
  wandb: "Weights & Biases",
  vercel: "Vercel AI Gateway",
  digitalocean: "DigitalOcean",
  gmicloud: "GMI Cloud",
  friendli: "FriendliAI",
  "io-net": "io.net",
  nearai: "NEAR AI",
  tencent: "Tencent Cloud",
  stepfun: "StepFun",
  arcee: "Arcee AI",
  v0: "Vercel v0",
  amazon: "Amazon Nova",
  sakana: "Sakana AI",
  thinkingmachines: "Thinking Machines",
  voyage: "Voyage AI",
  stability: "Stability AI",
  "black-forest-labs": "Black Forest Labs",
  fal: "fal",
  nvidia: "NVIDIA",
  ibm: "IBM",
  "01-ai": "01.AI",
  baai: "BAAI",
  nousresearch: "Nous Research",
  inclusionai: "InclusionAI",
  bytedance: "ByteDance",
};

export function providerName(id: string): string {
  return providerNames[id] ?? words(id).replace(/^./, (first) => first.toUpperCase());
}
