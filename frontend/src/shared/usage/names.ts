import { useQuery } from "@tanstack/react-query";
import { modelsQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import { marketplaceKeysQuery } from "@/shared/keys/keys-api";
import { providerName } from "@/shared/lib/names";
import type { Field } from "./filters";

const none: Partial<Record<Field, string>> = {
  key: "This page",
  agent: "No agent",
  conversation: "No conversation",
};

export const fieldNames: Record<Field, string> = {
  model: "Model",
  provider: "Provider",
  key: "Key",
  agent: "Agent",
  conversation: "Conversation",
  status: "Status",
};

export const statusNames: Record<string, string> = {
  ok: "Whole answer",
  partial: "Broke off",
  failed: "Failed",
  cancelled: "Stopped",
  lost: "Lost",
};

/** What people call the values of a field; `none` and null are calls without one. */
export function useNames(): (field: Field, value: string | null | undefined) => string {
  const api = useApi();
  const { token } = useSession();
  const models = useQuery(modelsQuery(api)).data;
  const keys = useQuery(marketplaceKeysQuery(api, token)).data;
  return (field, value) => {
    if (value === null || value === undefined || value === "none") return none[field] ?? "–";
    if (field === "model") return models?.find((model) => model.id === value)?.name ?? value;
    if (field === "provider") return providerName(value);
    if (field === "key") return keys?.find((key) => key.id === value)?.name ?? value;
    return field === "status" ? (statusNames[value] ?? value) : value;
  };
}
