import { useQuery } from "@tanstack/react-query";
import { type Agent, agentsQuery, isAgent } from "@/features/chat/dialogs/agents-api";
import { modelQuery, modelsQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import type { Model } from "@/shared/api/types";
import { providerName } from "@/shared/lib/names";

/** What the chat has to know of a model; the server picks one itself for `auto`. */
export interface ChatModel {
  id: string;
  name: string;
  /** For a reader: who offers it; an agent's model. */
  provider?: string;
  /** Who serves it, by name. */
  providers: readonly string[];
  takesImages: boolean;
  /** What it takes beside the messages; empty = not known. */
  parameters: readonly string[];
  /** Dollars per million tokens read, at the lowest price it is offered for; null = not known, or not one price. */
  inputPrice: number | null;
  available: boolean;
  unavailableReason?: string;
}

export const AUTO: ChatModel = {
  id: "auto",
  name: "Auto",
  providers: [],
  takesImages: false,
  parameters: [],
  inputPrice: null,
  available: true,
};

export function chatModel(model: Model): ChatModel {
  return {
    id: model.id,
    name: model.name,
    provider: providerName(model.provider),
    providers: [...new Set([model.provider, ...(model.providers ?? [])])],
    takesImages: model.capabilities.includes("vision"),
    parameters: model.supported_parameters ?? [],
    inputPrice: model.prices?.input === undefined ? null : Number(model.prices.input),
    available: model.is_available,
    unavailableReason: model.unavailable_reason ?? undefined,
  };
}

/** Whom an id means: an agent stands before its model. */
export function useChatModel(id: string): ChatModel {
  const agents = useAgents(isAgent(id));
  const agent = agents?.find((each) => each.id === id);
  const model = useModel(agent?.model ?? (isAgent(id) ? AUTO.id : id));
  if (agent) return { ...model, id, name: agent.name, provider: model.name };
  return isAgent(id) ? { ...AUTO, id, name: agents ? "Deleted agent" : "Agent" } : model;
}

/** The user's agents, once they are known. */
export function useAgents(wanted = true): Agent[] | undefined {
  const { token } = useSession();
  const query = agentsQuery(useApi(), token);
  return useQuery({ ...query, enabled: query.enabled && wanted }).data;
}

/** The model of an id: from the list if it is there, else asked for alone; by its id until it is known. */
function useModel(id: string): ChatModel {
  const api = useApi();
  const listed = useListedModels()?.find((model) => model.id === id);
  const alone = useQuery({
    ...modelQuery(api, id),
    enabled: id !== AUTO.id && !id.startsWith("agent/") && !listed,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  }).data;
  if (id === AUTO.id) return AUTO;
  const model = listed ?? alone;
  return model ? chatModel(model) : { ...AUTO, id, name: id };
}

/** The catalogue, if something on this page has loaded it already. */
function useListedModels(): Model[] | undefined {
  const api = useApi();
  return useQuery({ ...modelsQuery(api), enabled: false }).data;
}

/** A model's name for a reader; its id until it is known. */
export function useModelName(id: string | undefined): string {
  return useChatModel(id || AUTO.id).name;
}
