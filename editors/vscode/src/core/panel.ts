const READ =
  /^\/api\/v1\/marketplace\/(models|favourites|recommendations|estimates|generations|activity|usage|billing\/(balance|statement|usage|plans)|providers|profile|clients)(\/|\?|$)/;
const AGENTS = /^\/api\/v1\/agents\/listings(\?|$)/;

/** The path that the side bar's page may ask for, as it will be asked; null: it may not. It reads the marketplace and its agents, and
 * changes favourites and ratings: nothing that spends. */
export function allowed(origin: string, method: string, path: string): string | null {
  // `..` and its spellings lead out of what is allowed.
  const { pathname, search } = new URL(origin + path);
  const asked = pathname + search;
  return READ.test(asked) || (method === "GET" && AGENTS.test(asked)) ? asked : null;
}

const RECOMMENDATIONS = /^\/api\/v1\/marketplace\/recommendations(\/|\?|$)/;

/** The body as it will be sent: picks must not put the task to a model, which the wallet would pay for. What is no JSON is sent empty. */
export function unspending(asked: string, body: string | undefined): string | undefined {
  if (body === undefined || !RECOMMENDATIONS.test(asked)) return body;
  try {
    return JSON.stringify({ ...(JSON.parse(body) as object), settle: false });
  } catch {
    return "{}";
  }
}
