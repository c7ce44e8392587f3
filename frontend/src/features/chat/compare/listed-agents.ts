import { useQuery } from "@tanstack/react-query";
import type { Choice } from "@/features/chat/models/model-picker";
import { installedQuery, listingsQuery } from "@/shared/api/queries";
import type { components } from "@/shared/api/schema.gen";
import { useApi, useSession } from "@/shared/api/services";

type Schemas = components["schemas"];
const UNASKED = "Agree to what it may do first, on its card under Agents";

/** Agents that are offered, to be asked beside models: their side is a run of theirs. */
export function useListedAgents(wanted: boolean): Choice[] {
  const api = useApi();
  const { token } = useSession();
  const listed = useQuery({ ...listingsQuery(api, "", ""), enabled: wanted }).data?.listings;
  const mine = installedQuery(api, token);
  const installed = useQuery({ ...mine, enabled: wanted && mine.enabled !== false }).data?.agents;
  const pathOf = (agent: Schemas["OfferedOut"]) => `${agent.publisher}/${agent.slug}`;
  const agreed = new Set(installed?.filter((each) => !each.asked_again).map(({ agent }) => pathOf(agent)));
  const shown = [...(installed ?? []), ...(listed ?? [])]
    .map(({ agent, version }) => ({ path: pathOf(agent), name: version.spec.name }))
    .filter((each, index, all) => all.findIndex(({ path }) => path === each.path) === index);
  return shown.map(({ path, name }) => ({
    id: `agent/${path}`,
    name,
    detail: `agent ${path}`,
    off: agreed.has(path) ? undefined : UNASKED,
  }));
}
