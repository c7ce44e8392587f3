import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { moment } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Input } from "@/shared/ui/input";
import { type FoundServer, foundServersQuery, stopServer } from "./admin-agents-api";
import type { Acting } from "./agents-part";
import { Pages, Section, Table } from "./table";

/** Tool servers that users and authors named, each with its kill switch. */
export function AgentsServers({ onAct }: Acting) {
  const api = useApi();
  const [words, setWords] = useState("");
  const query = useInfiniteQuery(foundServersQuery(api, words));
  const rows = query.data?.pages.flatMap((page) => page.servers) ?? [];
  const ask = (row: FoundServer) => {
    const stopped = row.stopped_at === null;
    onAct({
      title: stopped ? `Stop the tool server ${row.name}?` : `Let ${row.name} be called again?`,
      words: `${row.url}. ${stopped ? "No tool of it is called any more, by running agents neither." : ""}`,
      button: stopped ? "Stop it" : "Let it be called",
      danger: stopped,
      password: !stopped,
      run: ({ reason, password }) => stopServer(api, row.server_id, { stopped, reason, password }),
    });
  };
  return (
    <Section title="Tool servers">
      <Input
        aria-label="Find tool servers by address, name or id"
        placeholder="Address, name or id"
        className="max-w-sm"
        value={words}
        onChange={({ target }) => setWords(target.value)}
      />
      <Pages query={query}>
        <Table
          name="Tool servers"
          columns={["Name", "Address", "Whose", "State", "Acts"]}
          rows={rows}
          keyOf={(row) => row.server_id}
          empty="No tool server."
          cells={(row) => [
            row.name,
            row.url,
            row.email ?? "deleted",
            row.stopped_at ? `stopped ${moment(row.stopped_at)}` : row.problem || "works",
            <Button
              key="act"
              size="sm"
              aria-label={`${row.stopped_at ? "Restore" : "Stop"} the tool server ${row.name}`}
              onClick={() => ask(row)}
            >
              {row.stopped_at ? "Restore" : "Stop"}
            </Button>,
          ]}
        />
      </Pages>
    </Section>
  );
}
