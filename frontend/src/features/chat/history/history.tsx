import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { FileInput, Plus, Search } from "lucide-react";
import { lazy, Suspense, useDeferredValue, useState } from "react";
import { labelsQuery } from "@/features/chat/library/library-api";
import {
  type ConversationChange,
  type ConversationSummary,
  changeConversation,
  deleteConversation,
  listConversations,
} from "@/features/chat/talk/chat-api";
import { chatsOf } from "@/features/chat/talk/chats";
import { useApi, useServices, useSession } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { Input } from "@/shared/ui/input";
import { Skeleton } from "@/shared/ui/skeleton";
import { HistoryRow } from "./history-row";
import { EVERYWHERE, type Place, PlaceSelect } from "./place-select";

const ImportDialog = lazy(() =>
  import("@/features/chat/library/import-dialog").then((module) => ({ default: module.ImportDialog })),
);

export interface HistoryProps {
  current: string | null;
  onOpen: (conversationId: string | null) => void;
  onNew: () => void;
}

/** The chats kept on the server: search, open, rename, pin, delete, save. */
export function History({ current, onOpen, onNew }: HistoryProps) {
  const api = useApi();
  const services = useServices();
  const client = useQueryClient();
  const { token, session } = useSession();
  const [search, setSearch] = useState("");
  const [place, setPlace] = useState<Place>(EVERYWHERE);
  const [importing, setImporting] = useState(false);
  const q = useDeferredValue(search.trim());
  const labels = useQuery(labelsQuery(api, token)).data;
  const query = useInfiniteQuery({
    queryKey: ["conversations", token, "list", q, place],
    queryFn: ({ pageParam, signal }) =>
      listConversations(api, { q: q || undefined, ...place, cursor: pageParam ?? undefined }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    enabled: token !== null,
    // The list stays while it is searched; another account never sees this one's.
    placeholderData: (before, previous) => (previous?.queryKey[1] === token ? before : undefined),
  });
  const all = query.data?.pages.flatMap((page) => page.conversations) ?? [];
  const pinned = all.filter((each) => each.pinned);
  const others = all.filter((each) => !each.pinned);
  const refresh = () => client.invalidateQueries({ queryKey: ["conversations"] });
  const change = async (id: string, fields: ConversationChange) => {
    await changeConversation(api, id, fields);
    if (fields.title) chatsOf(services).named(id, fields.title);
    await refresh();
  };
  const remove = async (id: string) => {
    await deleteConversation(api, id);
    chatsOf(services).forget(id);
    await refresh();
    if (id === current) onOpen(null);
  };
  const section = (label: string, list: ConversationSummary[]) =>
    list.length > 0 && (
      <section aria-label={label} className="mb-3">
        <h2 className="px-2 pb-1 text-xs text-muted">{label}</h2>
        <ul>
          {list.map((each) => (
            <HistoryRow
              key={each.id}
              conversation={each}
              current={each.id === current}
              onOpen={onOpen}
              onChange={change}
              onDelete={remove}
            />
          ))}
        </ul>
      </section>
    );

  return (
    <nav aria-label="Chat history" className="flex h-full min-h-0 flex-col bg-surface">
      <div className="flex flex-col gap-2 p-2">
        <Button onClick={onNew}>
          <Plus aria-hidden /> New chat
        </Button>
        <div className="relative">
          <Search aria-hidden className="absolute top-1/2 left-2 size-3.5 -translate-y-1/2 text-muted" />
          <Input
            type="search"
            aria-label="Search chats"
            placeholder="Search chats"
            className="pl-7"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </div>
        {labels && <PlaceSelect labels={labels} place={place} onChange={setPlace} />}
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-1 pb-2">
        {!token && (
          <p className="px-2 text-muted">
            <Button variant="link" size="sm" onClick={() => void session.require("asked")}>
              Sign in
            </Button>{" "}
            to keep your chats.
          </p>
        )}
        {query.isError && (
          <p role="alert" className="px-2 text-muted">
            The history could not be loaded.{" "}
            <Button variant="link" size="sm" onClick={() => void query.refetch()}>
              Try again
            </Button>
          </p>
        )}
        {query.isLoading && <RowSkeletons />}
        {section("Pinned", pinned)}
        {section(pinned.length > 0 ? "Others" : "Chats", others)}
        {query.isSuccess && all.length === 0 && (
          <p className="px-2 text-muted">
            {q
              ? `No chat has “${q}” in it.`
              : place === EVERYWHERE
                ? "Your chats will be listed here."
                : "Nothing lies here."}
          </p>
        )}
        {query.hasNextPage && (
          <Button
            size="sm"
            variant="ghost"
            className="w-full"
            busy={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            Older chats
          </Button>
        )}
      </div>
      {token && (
        <Button variant="ghost" size="sm" className="m-1 justify-start" onClick={() => setImporting(true)}>
          <FileInput aria-hidden /> Import chats…
        </Button>
      )}
      {importing && (
        <Suspense>
          <ImportDialog onClose={() => setImporting(false)} />
        </Suspense>
      )}
    </nav>
  );
}

function RowSkeletons() {
  return (
    <div aria-busy="true" className="flex flex-col gap-3 px-2">
      {["w-full", "w-3/4", "w-5/6", "w-2/3"].map((width) => (
        <Skeleton key={width} className={`h-5 ${width}`} />
      ))}
    </div>
  );
}
