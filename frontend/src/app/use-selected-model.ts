import { useQuery } from "@tanstack/react-query";
import { modelsQuery } from "@/shared/api/queries";
import { useApi } from "@/shared/api/services";
import type { Model } from "@/shared/api/types";

/** The model that a card or the palette chose; the chat remembers its own choice. */
export function useSelectedModel(id: string | undefined): Model | undefined {
  const api = useApi();
  return useQuery({ ...modelsQuery(api), enabled: id !== undefined }).data?.find((model) => model.id === id);
}
