/** What is asked about: the last days, and values of these fields. It stands in the address, so that a link shows the same. */
export const fields = ["model", "provider", "key", "agent", "conversation", "status"] as const;
export type Field = (typeof fields)[number];

export interface Filters {
  days: number;
  values: Partial<Record<Field, readonly string[]>>;
}

/** In the address; `days` is left out at 30. */
export type FilterSearch = { days?: number } & Partial<Record<Field, string[]>>;

export const periods = [1, 7, 30, 90, 365] as const;

export function filtersFromSearch(search: Record<string, unknown>): Filters {
  const days = Number(search.days);
  const values: Filters["values"] = {};
  for (const field of fields) {
    const given = search[field];
    const list = (Array.isArray(given) ? given : [given]).filter((one) => one !== undefined && one !== "").map(String);
    if (list.length > 0) values[field] = [...new Set(list)].slice(0, 50);
  }
  return { days: Number.isInteger(days) && days >= 1 && days <= 3_660 ? days : 30, values };
}

export function searchFromFilters({ days, values }: Filters): FilterSearch {
  const search: FilterSearch = days === 30 ? {} : { days };
  for (const field of fields) {
    const chosen = values[field];
    if (chosen && chosen.length > 0) search[field] = [...chosen];
  }
  return search;
}

export const filterQuery = ({ days, values }: Filters): Record<string, number | readonly string[]> => ({ days, ...values });

export function withValue(filters: Filters, field: Field, value: string): Filters {
  const chosen = filters.values[field] ?? [];
  return chosen.includes(value) ? filters : { ...filters, values: { ...filters.values, [field]: [...chosen, value] } };
}

export function withoutValue(filters: Filters, field: Field, value: string): Filters {
  const left = (filters.values[field] ?? []).filter((one) => one !== value);
  const { [field]: _, ...others } = filters.values;
  return { ...filters, values: left.length > 0 ? { ...others, [field]: left } : others };
}

/** What a row of the server calls a field. */
export const columnOf = {
  model: "model",
  provider: "provider",
  key: "key_id",
  agent: "agent_id",
  conversation: "conversation_id",
  status: "status",
} as const satisfies Record<Field, string>;

/** A path with the same filters: what is drilled down into keeps them. */
export function hrefWith(path: string, filters: Filters): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(searchFromFilters(filters))) {
    parameters.set(name, typeof value === "number" ? String(value) : JSON.stringify(value));
  }
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}
