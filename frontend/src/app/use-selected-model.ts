import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { modelsQuery } from "@/shared/api/queries";
import { useApi } from "@/shared/api/services";
import type { Model } from "@/shared/api/types";
import { plainName } from "@/shared/lib/plain-name";
import { useToast } from "@/shared/ui/toast";

/** The model that a card or the palette chose; the chat remembers its own choice. */
export function useSelectedModel(id: string | undefined): Model | undefined {
  const api = useApi();
  const toast = useToast();
  const models = useQuery({ ...modelsQuery(api), enabled: id !== undefined }).data;
  const found = models?.find((model) => model.id === id);
  const unknown = models && id && !found ? id : null;
  // A link may be older than the catalogue: whoever follows it is told that they ask another model than it says.
  useEffect(() => {
    if (unknown) toast({ title: `No model “${plainName(unknown.slice(0, 80))}” is offered here` });
  }, [unknown, toast]);
  return found;
}
