/** The JSON of the REST API (docs/api.md). Money is dollars; prices are decimal strings, dollars per million tokens. */

export type PricingTier = "free" | "paid" | "premium";

export interface Prices {
  input?: string | null;
  output?: string | null;
  cache_read?: string | null;
  cache_write_5m?: string | null;
  cache_write_1h?: string | null;
  reasoning?: string | null;
  audio_input?: string | null;
  audio_output?: string | null;
  image_input?: string | null;
  image_output?: string | null;
  per_image?: string | null;
  per_request?: string | null;
}

export interface Evidence {
  label: string;
  score: number;
  source: string;
  as_of: string;
}

export interface Model {
  id: string;
  name: string;
  provider: string;
  model_id: string;
  pricing_tier: PricingTier;
  cost_per_1k: number | string;
  context_window: number | null;
  capabilities: string[];
  rating: number | null;
  use_count: number;
  is_available: boolean;
  description?: string;
  prices?: Prices | null;
  max_input?: number | null;
  max_output?: number | null;
  offers_count?: number;
  rating_count?: number;
  released_on?: string | null;
  retires_on?: string | null;
  successor?: string | null;
  evidence?: Evidence[];
  unavailable_reason?: string | null;
  tags?: string[];
  aliases?: string[];
}

export interface Source {
  field?: string;
  source: string;
  as_of?: string | null;
  url?: string | null;
}

export interface PricePoint {
  as_of: string;
  prices: Prices;
  source?: string;
}

export interface ModelDetail extends Model {
  sources?: Source[];
  price_history?: PricePoint[];
}

export interface Offer {
  id: string;
  model_id: string;
  provider: string;
  upstream_id: string;
  prices: Prices | null;
  context_window?: number | null;
  max_input?: number | null;
  max_output?: number | null;
  input_modalities?: string[];
  output_modalities?: string[];
  supported_parameters?: string[];
  source?: string | null;
  as_of?: string | null;
  retires_on?: string | null;
  is_available?: boolean;
  unavailable_reason?: string | null;
}

export interface ModelList {
  models: Model[];
  count: number;
  total: number;
}

export type Priority = "quality" | "balanced" | "cost" | "speed";

export interface TaskAnalysis {
  type: string;
  confidence: number;
  keywords: string[];
  uncertain?: boolean;
  question?: string | null;
}

export interface Recommendation {
  model: Model;
  rank: number;
  reasoning: string;
  reasons?: string[];
  score: number;
  estimated_cost: number;
  cost_range?: { p50: number; p95: number } | null;
  is_available: boolean;
  gives_up?: string | null;
}

export interface BlockedPick {
  model: Model;
  reason: string;
  needs_key?: string | null;
}

export interface Recommendations {
  analysis: TaskAnalysis;
  recommendations: Recommendation[];
  blocked?: BlockedPick[];
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
  currency: string;
}

export interface ProviderInfo {
  name: string;
  configured: boolean;
  byok: boolean;
  base_url_set: boolean;
  models: number;
}
