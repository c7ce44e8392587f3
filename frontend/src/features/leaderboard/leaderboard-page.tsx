import { queryOptions, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ApiClient } from "@/shared/api/client";
import { modelsQuery } from "@/shared/api/queries";
import { useApi, useSession, withHost } from "@/shared/api/services";
import { count, counted, moment, money } from "@/shared/lib/format";
import { saveFile } from "@/shared/lib/save-file";
import { Button } from "@/shared/ui/button";
import { NativeSelect } from "@/shared/ui/input";
import { LoadFailed } from "@/shared/ui/load-failed";
import { EmptyState } from "@/shared/ui/notice";
import { SignedOut } from "@/shared/ui/signed-out";
import { Skeleton } from "@/shared/ui/skeleton";
import { PriceQuality } from "./price-quality";

interface Row {
  model: string;
  rank: number | null;
  rating: number;
  low: number;
  high: number;
  votes: number;
  users: number;
  wins: number;
  losses: number;
  ties: number;
  cost_per_win: number | null;
  characters: number;
  why: string | null;
}

interface Share {
  share: number | null;
  of: number;
}

interface Board {
  models: Row[];
  votes: number;
  users: number;
  least_votes: number;
  longer_won: Share;
  first_won: Share;
  tasks: Record<string, number>;
  as_of: string;
}

const path = "/api/v1/marketplace/leaderboard" as const;

const boardQuery = (api: ApiClient, token: string | null, task: string) =>
  queryOptions({
    queryKey: ["leaderboard", token, task],
    queryFn: ({ signal }) => api.get<Board>(path, { signal, query: { task } }),
    enabled: token !== null,
  });

/** What this installation's own blind votes say of models. */
interface LeaderboardProps {
  onOpen: (model: string) => void;
  /** Puts these models into a new comparison. */
  onCompare: (models: string[]) => void;
}

function LeaderboardTable({ onOpen, onCompare }: LeaderboardProps) {
  const api = useApi();
  const { token } = useSession();
  const [task, setTask] = useState("");
  const query = useQuery(boardQuery(api, token, task));
  const save = async () => {
    const response = await api.raw("GET", path, { query: { task, format: "csv" }, headers: { Accept: "text/csv" } });
    saveFile(await response.blob(), "leaderboard.csv");
  };
  if (!token) {
    return <SignedOut>Here you see which models win the blind votes of this server, and what quality costs.</SignedOut>;
  }
  const board = query.data;
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex w-full max-w-5xl flex-col gap-4 p-4 sm:p-6">
        <div className="flex flex-wrap items-baseline gap-4">
          <h1 className="text-xl font-semibold">Leaderboard</h1>
          <a href="/compare" className="text-link underline">
            Compare answers
          </a>
        </div>
        <p className="max-w-prose text-muted">
          From blind votes on this installation alone. A vote counts with paid money or an administrator's trust behind it,
          one a person, pair of models and day.
        </p>
        {query.isLoading && <Skeleton className="h-40" />}
        {query.isError && <LoadFailed what="The leaderboard" error={query.error} onRetry={() => void query.refetch()} />}
        {board && (
          <>
            <div className="flex flex-wrap items-center gap-2">
              <NativeSelect aria-label="Type of task" value={task} onChange={({ target }) => setTask(target.value)}>
                <option value="">All tasks</option>
                {Object.entries(board.tasks).map(([name, votes]) => (
                  <option key={name} value={name}>
                    {`${name.replaceAll("_", " ") || "unknown"} (${votes})`}
                  </option>
                ))}
              </NativeSelect>
              <Button size="sm" onClick={() => void save()}>
                Export as CSV
              </Button>
              <span className="text-xs text-muted">
                {counted(board.votes, "vote")} of {counted(board.users, "person", "people")} · as of {moment(board.as_of)}
              </span>
            </div>
            {board.models.length === 0 ? (
              <EmptyState title="No votes yet">
                A model has a rank from {board.least_votes} votes on. Compare answers blind, and vote.
              </EmptyState>
            ) : (
              <Rows rows={board.models} />
            )}
            {board.votes > 0 && <Bias board={board} />}
          </>
        )}
        <PriceQuality onOpen={onOpen} onCompare={onCompare} />
      </div>
    </div>
  );
}

function Rows({ rows }: { rows: readonly Row[] }) {
  const api = useApi();
  const models = useQuery(modelsQuery(api)).data;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section aria-label="Models by votes" tabIndex={0} className="overflow-x-auto rounded-lg border border-line">
      <table className="w-full text-sm tabular-nums [&_td]:px-3 [&_td]:py-1.5 [&_th]:px-3 [&_th]:py-1.5 [&_th]:text-left">
        <thead className="bg-surface text-xs text-muted">
          <tr>
            <th scope="col">Rank</th>
            <th scope="col">Model</th>
            <th scope="col">Rating</th>
            <th scope="col">95 %</th>
            <th scope="col">Votes</th>
            <th scope="col">Won · tied · lost</th>
            <th scope="col">Cost per win</th>
            <th scope="col">Usual length</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.model} className="border-t border-line">
              <td>{row.rank ?? "–"}</td>
              <td>
                {models?.find(({ id }) => id === row.model)?.name ?? row.model}
                {row.why && <span className="block text-xs text-muted">not ranked: {row.why}</span>}
              </td>
              <td>{row.rating}</td>
              <td>
                {row.low} to {row.high}
              </td>
              <td>
                {count(row.votes)} by {count(row.users)}
              </td>
              <td>
                {row.wins} · {row.ties} · {row.losses}
              </td>
              <td>{money(row.cost_per_win)}</td>
              <td>{count(row.characters)} characters</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Bias({ board }: { board: Board }) {
  const words = ({ share, of }: Share) => (share === null ? "nothing yet" : `${Math.round(share * 100)} % of ${count(of)}`);
  return (
    <p className="text-xs text-muted">
      Of the decided votes the longer answer won {words(board.longer_won)}, the one shown first {words(board.first_won)}:
      half would be no bias. Models whose intervals overlap share a rank. Cost per win is at list prices.
    </p>
  );
}

export const LeaderboardPage = withHost(LeaderboardTable);
