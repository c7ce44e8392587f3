import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { Badge } from "@/shared/ui/badge";
import { Button } from "@/shared/ui/button";
import { Input } from "@/shared/ui/input";
import { decideVersion, type FoundAgent, foundAgentsQuery } from "./admin-agents-api";
import type { Acting } from "./agents-part";
import { Pages, Section, Table } from "./table";

/** Every agent with its versions, each with its kill switch. */
export function AgentsFound({ onAct }: Acting) {
  const api = useApi();
  const [words, setWords] = useState("");
  const query = useInfiniteQuery(foundAgentsQuery(api, words));
  const found = query.data?.pages.flatMap((page) => page.agents) ?? [];
  return (
    <Section title="All agents">
      <Input
        aria-label="Find agents by publisher, name or id"
        placeholder="publisher/name or id"
        className="max-w-sm"
        value={words}
        onChange={({ target }) => setWords(target.value)}
      />
      <Pages query={query}>
        <Table
          name="All agents"
          columns={["Agent", "Author", "Who finds it", "Versions"]}
          rows={found}
          keyOf={(row) => row.agent.id}
          empty="No agent has such a name."
          cells={(row) => [
            row.agent.model,
            row.email ?? "–",
            row.agent.visibility,
            <Versions key="versions" row={row} onAct={onAct} />,
          ]}
        />
      </Pages>
    </Section>
  );
}

function Versions({ row, onAct }: Acting & { row: FoundAgent }) {
  const api = useApi();
  const ask = (number: number, decision: "suspend" | "restore") => {
    const about = `version ${number} of ${row.agent.model}`;
    const stops = decision === "suspend";
    onAct({
      title: stops ? `Stop ${about}?` : `List ${about} again?`,
      words: stops ? "New runs are refused at once, running ones end at their next step." : undefined,
      button: stops ? "Stop it" : "List it again",
      danger: stops,
      password: !stops,
      run: ({ reason, password }) => decideVersion(api, row.agent.id, number, { decision, reason, password }),
    });
  };
  return (
    <ul className="flex flex-col gap-1">
      {row.versions.map(({ version, state }) => (
        <li key={version} className="flex flex-wrap items-center gap-2">
          {version}
          <Badge tone={state === "suspended" || state === "rejected" ? "danger" : "neutral"}>
            {row.agent.live === version ? `${state}, live` : state}
          </Badge>
          {state === "suspended" ? (
            <Button
              size="sm"
              aria-label={`Restore version ${version} of ${row.agent.model}`}
              onClick={() => ask(version, "restore")}
            >
              Restore
            </Button>
          ) : (
            state !== "rejected" && (
              <Button
                size="sm"
                aria-label={`Stop version ${version} of ${row.agent.model}`}
                onClick={() => ask(version, "suspend")}
              >
                Stop
              </Button>
            )
          )}
        </li>
      ))}
    </ul>
  );
}
