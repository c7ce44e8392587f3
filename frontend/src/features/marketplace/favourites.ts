import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { favouritesQuery } from "@/shared/api/queries";
import { useApi, useHost, useSession } from "@/shared/api/services";

const KEY = "marketplace.favourites";

interface Favourites {
  ids: ReadonlySet<string>;
  toggle(id: string): void;
}

/** Stars: on the server for an account, in the host's storage before sign-in; those move over at the first sign-in. */
export function useFavourites(): Favourites {
  const api = useApi();
  const { storage } = useHost();
  const { token } = useSession();
  const client = useQueryClient();
  const options = favouritesQuery(api, token);
  const remote = useQuery(options);
  const [local, setLocal] = useState(() => readLocal(storage.getItem(KEY)));

  const change = useMutation({
    mutationFn: ({ id, on }: { id: string; on: boolean }) => {
      const path = `/api/v1/marketplace/favourites/${encodeURIComponent(id)}` as const;
      return on ? api.put<{ favourites: string[] }>(path) : api.delete<{ favourites: string[] }>(path);
    },
    onMutate: ({ id, on }) => {
      client.setQueryData(options.queryKey, (reply) => {
        const others = (reply?.favourites ?? []).filter((other) => other !== id);
        return { favourites: on ? [...others, id] : others };
      });
    },
    onSettled: () => client.invalidateQueries({ queryKey: options.queryKey }),
  });
  const { mutate } = change;

  const loaded = remote.isSuccess;
  useEffect(() => {
    if (!token || !loaded || local.length === 0) return;
    for (const id of local) mutate({ id, on: true });
    storage.removeItem(KEY);
    setLocal([]);
  }, [token, loaded, local, mutate, storage]);

  const ids = useMemo(() => new Set(token ? (remote.data ?? []) : local), [token, remote.data, local]);
  return {
    ids,
    toggle(id) {
      const on = !ids.has(id);
      if (token) return mutate({ id, on });
      const next = on ? [...local, id] : local.filter((other) => other !== id);
      storage.setItem(KEY, JSON.stringify(next));
      setLocal(next);
    },
  };
}

function readLocal(saved: string | null): string[] {
  try {
    const value: unknown = JSON.parse(saved ?? "[]");
    return Array.isArray(value) ? value.filter((id) => typeof id === "string") : [];
  } catch {
    // Someone else wrote under this key; stars begin anew.
    return [];
  }
}
