import type { Model } from "@/shared/api/types";

const fields: [(model: Model) => string, number][] = [
  [(model) => model.name, 8],
  [(model) => model.id, 7],
  [(model) => (model.aliases ?? []).join(" "), 5],
  [(model) => `${model.provider} ${model.maker ?? ""} ${model.family ?? ""} ${model.model_id}`, 4],
  [(model) => [...model.capabilities, ...(model.tags ?? [])].join(" "), 3],
  [(model) => model.description ?? "", 1],
];

const words = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[^\p{L}\p{N}.]+/u)
    .filter(Boolean);

/** How well `model` answers the text: 0 if a word is found nowhere. Whole words beat beginnings, beginnings beat middles. */
function matchScore(model: Model, query: readonly string[]): number {
  let total = 0;
  for (const word of query) {
    let best = 0;
    for (const [read, weight] of fields) {
      const value = read(model).toLowerCase();
      const at = value.indexOf(word);
      if (at < 0) continue;
      const begins = at === 0 || !/[\p{L}\p{N}]/u.test(value[at - 1] ?? "");
      const ends = !/[\p{L}\p{N}]/u.test(value[at + word.length] ?? " ");
      best = Math.max(best, weight * (begins && ends ? 3 : begins ? 2 : 1));
    }
    if (best === 0) return 0;
    total += best;
  }
  return total;
}

/** All models that hold every word, best first; the given order decides between equals. */
export function searchModels(models: readonly Model[], text: string | undefined): readonly Model[] {
  const query = words(text ?? "");
  if (query.length === 0) return models;
  return models
    .map((model) => ({ model, score: matchScore(model, query) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ model }) => model);
}

/** Three words and more read like a task for Q Assistant rather than like a name. */
export function looksLikeTask(text: string | undefined): boolean {
  return words(text ?? "").length >= 3;
}
