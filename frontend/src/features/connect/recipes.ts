import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";
import type { ClientSettings } from "@/shared/api/types";

/** What every tool needs. `origin` has no trailing slash; `key` is a marketplace key; tokens for the limits. */
export interface Connection {
  origin: string;
  key: string;
  modelId: string;
  modelName: string;
  context: number;
  maxOutput: number;
  vision: boolean;
}

/** The server's table of settings, which its command line, its documentation and its trials use as well. */
export const clientsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ["clients"],
    queryFn: ({ signal }) => api.get<{ clients: ClientSettings[] }>("/api/v1/marketplace/clients", { signal }),
    select: (reply) => reply.clients,
    staleTime: Number.POSITIVE_INFINITY,
  });

/** A text of the table with its places filled; a place that this page does not know stays to be seen. */
export function filled(template: string, connection: Connection): string {
  const { origin, key, modelId, modelName, context, maxOutput, vision } = connection;
  const places: Record<string, string> = {
    origin,
    key,
    model: modelId,
    name: JSON.stringify(modelName),
    label: JSON.stringify(`${modelName} (Marketplace)`),
    context: String(context),
    max_output: String(maxOutput),
    vision: String(vision),
  };
  return template.replace(/\$\{(\w+)\}/g, (place, name: string) => places[name] ?? place);
}

/** How sure the settings are: run by the trials, or only read; nothing for what the tests run. */
export function tried({ version, documented }: ClientSettings): string {
  if (documented) return `From its documentation of ${documented}, not tried.`;
  return version ? `Tried with version ${version}.` : "";
}
