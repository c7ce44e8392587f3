import type { Model } from "@/shared/api/types";

const SHOWN = 60;

/** Answers in words, and is still there; what is not known does not count against it. */
export function canChat({ retired, output_modalities: out = [] }: Partial<Model>): boolean {
  return !retired && (out.length === 0 || out.includes("text"));
}

/** The models that have every word, best first: what can be used now, favourites, names that begin with the words, use. */
export function rankModels(models: readonly Model[], search: string, favourites: readonly string[]): Model[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const starred = new Set(favourites);
  const found = models.filter((model) => {
    if (!canChat(model)) return false;
    const text = [model.id, model.name, model.provider, model.model_id, ...model.capabilities, ...(model.aliases ?? [])];
    const haystack = text.join(" ").toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
  const first = words[0] ?? "";
  const score = (model: Model) =>
    (model.is_available ? 8 : 0) +
    (starred.has(model.id) ? 4 : 0) +
    (first && model.name.toLowerCase().startsWith(first) ? 2 : 0) +
    (first && model.id.startsWith(first) ? 1 : 0);
  return found
    .map((model) => ({ model, score: score(model) }))
    .sort((a, b) => b.score - a.score || b.model.use_count - a.model.use_count || a.model.name.localeCompare(b.model.name))
    .slice(0, SHOWN)
    .map(({ model }) => model);
}
