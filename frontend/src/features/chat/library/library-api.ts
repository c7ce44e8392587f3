import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/shared/api/client";

const agents = "/api/v1/agents";

export interface Label {
  name: string;
  chats: number;
}

export const labelsQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["conversations", token, "labels"],
    queryFn: ({ signal }) => api.get<{ folders: Label[]; tags: Label[] }>(`${agents}/labels`, { signal }),
    enabled: token !== null,
  });

export interface Share {
  conversation_id: string;
  title: string;
  path: string;
  shared_at: string;
}

const shareOf = (id: string) => `${agents}/conversations/${encodeURIComponent(id)}/share` as const;

export const shareQuery = (api: ApiClient, id: string) =>
  queryOptions({
    queryKey: ["share", id],
    queryFn: ({ signal }) => api.get<{ share: Share | null }>(shareOf(id), { signal, auth: "required" }),
  });

export const makeShare = (api: ApiClient, id: string, leafId: string | null) =>
  api.put<{ share: Share }>(shareOf(id), leafId ? { leaf_id: leafId } : {});

export const endShare = (api: ApiClient, id: string) => api.delete(shareOf(id));

interface SharedMessage {
  role: "user" | "assistant";
  content: string;
  model: string | null;
  images: number;
  created_at: string;
}

export const sharedQuery = (api: ApiClient, token: string) =>
  queryOptions({
    queryKey: ["shared", token],
    queryFn: ({ signal }) =>
      api.get<{ chat: { title: string; shared_at: string; messages: SharedMessage[] } }>(
        `${agents}/shared/${encodeURIComponent(token)}`,
        { signal, auth: "none" },
      ),
    retry: false,
  });

export interface Prompt {
  id: string;
  name: string;
  text: string;
}

export const promptsQuery = (api: ApiClient, token: string | null) =>
  queryOptions({
    queryKey: ["prompts", token],
    queryFn: ({ signal }) => api.get<{ prompts: Prompt[] }>(`${agents}/prompts`, { signal }),
    enabled: token !== null,
  });

export const savePrompt = (api: ApiClient, { id, ...fields }: { id: string | null; name: string; text: string }) =>
  id ? api.patch(`${agents}/prompts/${encodeURIComponent(id)}`, fields) : api.post(`${agents}/prompts`, fields);

export const deletePrompt = (api: ApiClient, id: string) => api.delete(`${agents}/prompts/${encodeURIComponent(id)}`);

export interface Imported {
  imported: number;
  messages: number;
  skipped: { title: string; why: string }[];
}

export const importChats = (api: ApiClient, chats: readonly unknown[]) => api.post<Imported>(`${agents}/import`, chats);
