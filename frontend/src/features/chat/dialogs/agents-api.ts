import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";

const base = "/api/v1/agents/agents" as const;
const one = (id: string) => `${base}/${encodeURIComponent(id)}` as const;

/** A named preset of the user's: a model (or `auto`), instructions, parameters. Every change makes a new version. */
export interface Agent {
  id: string;
  version: number;
  name: string;
  model: string;
  instructions: string;
  parameters: Record<string, unknown>;
  updated_at: string;
}

export type AgentDraft = Pick<Agent, "name" | "model" | "instructions" | "parameters">;

/** An agent is asked by its id where a model is asked by its own. */
export const isAgent = (id: string): boolean => id.startsWith("agt_");

export const agentsQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["agents", token],
    queryFn: ({ signal }) => api.get<{ agents: Agent[] }>(base, { signal, auth: "background" }),
    select: (reply) => reply.agents,
    enabled: token !== null,
    staleTime: 60_000,
  });

/** Newest first. */
export const agentVersionsQuery = (api: ApiClient, id: string) =>
  queryOptions({
    queryKey: ["agent-versions", id],
    queryFn: ({ signal }) => api.get<{ versions: Agent[] }>(one(id), { signal }),
    select: (reply) => reply.versions,
    staleTime: 0,
  });

/** A new agent without an id, else a new version of that agent. */
export const saveAgent = (api: ApiClient, draft: AgentDraft, id: string | null) =>
  id === null ? api.post<{ agent: Agent }>(base, draft) : api.patch<{ agent: Agent }>(one(id), draft);

export const deleteAgent = (api: ApiClient, id: string) => api.delete(one(id));
