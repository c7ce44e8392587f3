/** The JSON of the REST API (docs/api.md). Money is dollars; prices are decimal strings, dollars per million tokens. */

import type { PricePoint } from "@/shared/api/price-point";

export type PricingTier = "free" | "paid" | "premium";

/** Dollars per million units as decimal strings; a class that is not offered is absent. */
export interface PriceSet {
  input?: string;
  output?: string;
  cache_read?: string;
  cache_write_5m?: string;
  cache_write_1h?: string;
  reasoning?: string;
  audio_input?: string;
  audio_output?: string;
  image_input?: string;
  image_output?: string;
}

export interface Prices extends PriceSet {
  /** Dollars a piece. */
  per_request?: string;
  per_image?: string;
  tiers?: (PriceSet & { above_input_tokens: number })[];
}

export interface Evidence {
  label: string;
  score: number;
  source: string;
  as_of: string;
}

/** This installation's own traffic; null without samples. */
export interface ModelStats {
  samples: number;
  first_token_seconds: { p50: number | null; p95: number | null };
  tokens_per_second: { p50: number | null };
  uptime: number | null;
}

export interface Model {
  id: string;
  name: string;
  provider: string;
  model_id: string;
  pricing_tier: PricingTier;
  /** Dollars per 1,000 tokens, three parts input to one part output; null if nobody knows the price. */
  cost_per_1k: number | null;
  context_window: number;
  capabilities: string[];
  rating: number | null;
  use_count: number;
  is_available: boolean;
  unavailable_reason: string | null;
  description: string;
  maker: string;
  family: string;
  prices: Prices | null;
  max_input: number | null;
  max_output: number | null;
  input_modalities: string[];
  output_modalities: string[];
  supported_parameters: string[];
  offers_count: number;
  providers: string[];
  /** Something on this machine answers for it now. */
  runs_here: boolean;
  rating_count: number;
  released_on: string | null;
  retires_on: string | null;
  retired: boolean;
  successor: string | null;
  aliases: string[];
  tags: string[];
  sources: Record<string, string>;
  evidence: Evidence[];
  stats: ModelStats;
}

export interface ModelDetail extends Model {
  price_history?: PricePoint[];
  /** Of paying or trusted users; null = none. */
  thumbs?: { up: number; down: number; users: number; reasons: Record<string, number> } | null;
}

export interface Offer {
  id: string;
  model_id: string;
  provider: string;
  upstream_id: string;
  prices: Prices | null;
  price_version: string;
  /** Sources disagree by more than a factor of three; the dearer figure was taken. */
  price_disputed: boolean;
  context: number | null;
  max_input: number | null;
  max_output: number | null;
  input_modalities: string[];
  output_modalities: string[];
  supported_parameters: string[];
  source: string;
  as_of: string;
  retires_on: string | null;
  is_available: boolean;
  unavailable_reason: string | null;
}

/** as_of: the newest day that prices were read; old: offers whose price was read more than 90 days ago, of `priced`. */
interface PricesAge {
  as_of: string;
  age_days: number;
  old: number;
  priced: number;
}

export interface ModelList {
  models: Model[];
  count: number;
  total: number;
  /** How many of all there are, by value. */
  facets: Record<"tier" | "capability" | "provider" | "maker", Record<string, number>>;
  prices?: PricesAge;
}

/** What signing up brings; `credit` in dollars. */
export interface SignUpOffer {
  signup: "open" | "invite" | "closed";
  credit: number;
  /** Sign-up credit waits until the address is confirmed. */
  confirm: boolean;
  /** Whether this server sends mail. */
  mail: boolean;
  banner: string;
}

export type Priority = "quality" | "balanced" | "cost" | "speed";

export interface TaskAnalysis {
  type: string;
  confidence: number;
  keywords: string[];
  uncertain: boolean;
  question?: string | null;
}

export interface Recommendation {
  model: Model;
  rank: number;
  reasoning: string;
  reasons: string[];
  score: number;
  estimated_cost: number;
  cost_range: { p50: number; p95: number };
  is_available: boolean;
  /** How hard the model is asked to think, as score and cost assume; null where it can't be asked. */
  effort?: string | null;
  gives_up?: string | null;
}

/** Would rank, but something is missing, mostly the provider's key. */
export interface BlockedPick {
  model: Model;
  provider: string;
  missing: string;
  score: number;
  estimated_cost: number | null;
  reason: string;
}

/** A condition read off the words; its `id` goes into `ignore` to take it back. */
export interface Understood {
  id: string;
  value: unknown;
  words: string;
  text: string;
}

export interface NearPick {
  model: Model;
  breaks: string[];
  estimated_cost: number;
}

export interface WhatIf {
  says: string;
  model_id: string;
  effort: string | null;
}

export interface Recommendations {
  /** Offered agents that fit the task. */
  agents: { model: string; name: string; summary: string }[];
  analysis: TaskAnalysis;
  recommendations: Recommendation[];
  blocked: BlockedPick[];
  understood: Understood[];
  conditions: Record<string, unknown>;
  notes: string[];
  nearest: NearPick[];
  what_if: WhatIf[];
}

export interface UserProfile {
  user_id: string;
  email: string;
  tier: string;
  balance: number;
  role: string;
  api_keys_configured: string[];
  created_at: string;
  subscription_expires: string | null;
}

export interface Balance {
  balance: number;
  available: number;
  held: number;
  paid: number;
  promotional: number;
  frozen: number;
  currency: "USD";
}

export interface ProviderInfo {
  name: string;
  configured: boolean;
  byok: boolean;
  base_url_set: boolean;
  models: number;
}

/** A program's settings. version: the one that the trials ran, "": none did; documented: the day of its documentation then. */
export interface ClientSettings {
  id: string;
  name: string;
  kind: "agent" | "editor" | "terminal" | "sdk";
  wires: string[];
  version: string;
  documented: string;
  note: string;
  /** `text` has places such as `${key}` to fill. */
  steps: { where: string; text: string }[];
}
