import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { count, moment, money, tokens } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Input, NativeSelect } from "@/shared/ui/input";
import { callsQuery, type Person, peopleFoundQuery } from "./admin-api";
import { Pages, Table } from "./table";

const statuses = ["ok", "partial", "failed", "cancelled", "lost"] as const;

/** Every call of everybody: who, which model, how it ended and what it cost. Never what was asked or answered. */
export function ActivityPart() {
  const api = useApi();
  const [person, setPerson] = useState<Pick<Person, "user_id" | "email"> | null>(null);
  const [status, setStatus] = useState("");
  const [model, setModel] = useState("");
  const query = useInfiniteQuery(
    callsQuery(api, { user_id: person?.user_id, status: status || undefined, model: model.trim() || undefined }),
  );
  const calls = query.data?.pages.flatMap((page) => page.calls) ?? [];
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        {person ? (
          <Button onClick={() => setPerson(null)}>Of {person.email}: show everybody</Button>
        ) : (
          <Whose onChosen={setPerson} />
        )}
        <NativeSelect aria-label="How it ended" value={status} onChange={(event) => setStatus(event.target.value)}>
          <option value="">however it ended</option>
          {statuses.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </NativeSelect>
        <Input
          aria-label="Model's id"
          placeholder="Model's id"
          className="w-56"
          value={model}
          onChange={(event) => setModel(event.target.value)}
        />
        <Button onClick={() => void query.refetch()}>Refresh</Button>
      </div>
      <Pages query={query}>
        <Table
          name="Calls of everybody"
          columns={["When", "Whose", "Model", "Provider", "Ended", "Tokens in", "Tokens out", "Cost", "Took", "Tries"]}
          rows={calls}
          keyOf={(call) => call.request_id}
          empty="No such calls."
          cells={(call) => [
            moment(call.at),
            <Button
              key="whose"
              size="sm"
              variant="ghost"
              aria-label={`Calls of ${call.email ?? call.user_id} only`}
              onClick={() => setPerson({ user_id: call.user_id, email: call.email ?? `deleted (${call.user_id})` })}
            >
              {call.email ?? "deleted"}
            </Button>,
            call.model,
            call.own_key ? `${call.provider}, own key` : call.provider,
            call.error ? `${call.status}: ${call.error.words}` : call.status,
            tokens(call.input_tokens),
            tokens(call.output_tokens),
            money(call.cost),
            call.total_ms === null ? "–" : `${(call.total_ms / 1000).toFixed(1)} s`,
            count(call.tries),
          ]}
        />
      </Pages>
    </div>
  );
}

/** An account by a part of its address. */
function Whose({ onChosen }: { onChosen: (person: Person) => void }) {
  const api = useApi();
  const [words, setWords] = useState("");
  const found = useQuery({ ...peopleFoundQuery(api, words), enabled: words.length > 1 }).data?.people ?? [];
  return (
    <>
      <Input
        aria-label="Whose calls"
        placeholder="Whose: a part of the address"
        className="w-64"
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      {words.length > 1 &&
        found.map((person) => (
          <Button key={person.user_id} size="sm" onClick={() => onChosen(person)}>
            {person.email}
          </Button>
        ))}
    </>
  );
}
