import type { Model, PriceSet } from "@/shared/api/types";
import { perMillion } from "@/shared/lib/format";

/** `$2.50 in · $10.00 out`, `Free`, or what is known. */
export function priceWords(model: Model): { input: string; output: string; unit: string } | { words: string } {
  const prices = model.prices;
  if (!prices) return { words: "Price unknown" };
  if (model.pricing_tier === "free") return { words: "Free" };
  if (prices.input !== undefined || prices.output !== undefined)
    return { input: perMillion(prices.input), output: perMillion(prices.output), unit: "per 1M tokens" };
  if (prices.per_image !== undefined) return { words: `${perMillion(prices.per_image)} per image` };
  if (prices.per_request !== undefined) return { words: `${perMillion(prices.per_request)} per request` };
  const other = priceClasses.find(([key]) => prices[key] !== undefined);
  return other ? { words: `${perMillion(prices[other[0]])} per 1M ${other[1].toLowerCase()}` } : { words: "Price unknown" };
}

export const priceClasses: [keyof PriceSet, string][] = [
  ["input", "Input"],
  ["output", "Output"],
  ["cache_read", "Cached input"],
  ["cache_write_5m", "Cache write, 5 min"],
  ["cache_write_1h", "Cache write, 1 h"],
  ["reasoning", "Reasoning"],
  ["audio_input", "Audio input"],
  ["audio_output", "Audio output"],
  ["image_input", "Image input"],
  ["image_output", "Image output"],
];

export interface Standing {
  /** For example `4.6` or `71.2`. */
  value: string;
  label: string;
  kind: "rating" | "evidence";
}

/** Users' rating on this installation if there is one, else the first public result; null if nothing is known. */
export function standing(model: Model): Standing | null {
  if (model.rating !== null && model.rating !== undefined && model.rating_count > 0)
    return { value: Number(model.rating).toFixed(1), label: `rated ${model.rating_count}×`, kind: "rating" };
  const [first] = model.evidence ?? [];
  return first ? { value: String(Number(first.score.toFixed(1))), label: first.label, kind: "evidence" } : null;
}

export interface Availability {
  tone: "success" | "warning" | "neutral";
  label: string;
  /** The whole reason, for a tooltip or a page. */
  detail: string;
}

export function availability(model: Model): Availability {
  const reason = sentence(model.unavailable_reason ?? "Not available here");
  if (model.retired) return { tone: "neutral", label: "Retired", detail: model.is_available ? "No longer offered" : reason };
  if (model.is_available) return { tone: "success", label: "Ready", detail: "Can be used now" };
  return { tone: "warning", label: /key/i.test(reason) ? "Needs a key" : "Unavailable", detail: reason };
}

function sentence(text: string): string {
  return text.replace(/^./, (first) => first.toUpperCase());
}

const retirementSoonMs = 90 * 86_400_000;

/** True if the model goes away within 90 days. */
export function retiresSoon(model: Model, nowMs: number): boolean {
  if (!model.retires_on || model.retired) return false;
  const at = Date.parse(model.retires_on);
  return !Number.isNaN(at) && at - nowMs < retirementSoonMs;
}
