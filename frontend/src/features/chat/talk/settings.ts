export const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
type Effort = (typeof efforts)[number];

/** How a chat's questions are asked, beside the model; absent means the model's own way. */
export interface ChatSettings {
  /** 0 to 2. */
  temperature?: number;
  effort?: Effort;
  /** Tokens. */
  maxTokens?: number;
  json?: boolean;
}

/** As fields of a request. */
export function settingsBody({ temperature, effort, maxTokens, json }: ChatSettings): Record<string, unknown> {
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(effort ? { reasoning_effort: effort } : {}),
    ...(maxTokens ? { max_tokens: maxTokens } : {}),
    ...(json ? { response_format: { type: "json_object" } } : {}),
  };
}

/** What was kept with a chat, as far as it makes sense. */
export function parseSettings(kept: string): ChatSettings {
  let value: Record<string, unknown> = {};
  try {
    value = (JSON.parse(kept || "{}") ?? {}) as Record<string, unknown>;
  } catch {
    // Not ours: the model's own way.
  }
  const { temperature, effort, maxTokens, json } = value;
  const settings: ChatSettings = {};
  if (typeof temperature === "number" && temperature >= 0 && temperature <= 2) settings.temperature = temperature;
  if (efforts.some((known) => known === effort)) settings.effort = effort as Effort;
  if (typeof maxTokens === "number" && Number.isInteger(maxTokens) && maxTokens > 0) settings.maxTokens = maxTokens;
  if (json === true) settings.json = true;
  return settings;
}

/** For example `temperature 0.2, effort high`; empty where nothing is set. */
export function settingsWords({ temperature, effort, maxTokens, json }: ChatSettings): string {
  const words = [];
  if (temperature !== undefined) words.push(`temperature ${temperature}`);
  if (effort) words.push(`effort ${effort}`);
  if (maxTokens) words.push(`at most ${maxTokens} tokens`);
  if (json) words.push("JSON");
  return words.join(", ");
}
