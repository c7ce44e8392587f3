import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { count, moment } from "@/shared/lib/format";
import { Badge } from "@/shared/ui/badge";
import { Button } from "@/shared/ui/button";
import { type Act, ActDialog, ActField } from "./act-dialog";
import {
  dropProviderKey,
  type OperatorProvider,
  operatorProvidersQuery,
  saveProviderKey,
  testProviderKey,
} from "./operating-api";
import { Pages, Table } from "./table";

/** Providers: whose key pays, whether they answer, and what is under way there. */
export function ProvidersPart() {
  const api = useApi();
  const [act, setAct] = useState<Act | null>(null);
  const query = useQuery(operatorProvidersQuery(api));
  const rows = [...(query.data?.providers ?? [])].sort((a, b) => Number(b.configured) - Number(a.configured));
  return (
    <div className="flex flex-col gap-3">
      <p className="text-muted">
        A key is tested, sealed in the vault and never shown again; every process calls with it within a second. Breakers are
        those of the process that answers.
      </p>
      <Pages query={query}>
        <Table
          name="Providers"
          columns={[
            "Provider",
            "Key",
            "Models",
            "Without a price",
            "In flight",
            "Calls, 24 h",
            "Errors, 24 h",
            "Breakers",
            "Acts",
          ]}
          rows={rows}
          keyOf={(row) => row.name}
          empty="No providers."
          cells={(row) => [
            row.title,
            <KeyState key="state" row={row} />,
            count(row.models),
            row.configured && row.unpriced > 0 ? (
              <a
                key="unpriced"
                className="text-link underline"
                href={`/admin?part=models&provider=${row.name}&unpriced=true`}
              >
                {count(row.unpriced)}
              </a>
            ) : (
              count(row.unpriced)
            ),
            count(row.in_flight),
            count(row.calls),
            row.error_share === null ? "–" : `${(row.error_share * 100).toFixed(1)} %`,
            <Breakers key="breakers" row={row} />,
            <Acts key="acts" row={row} onAct={setAct} />,
          ]}
        />
      </Pages>
      {act && <ActDialog act={act} onClose={() => setAct(null)} />}
    </div>
  );
}

function KeyState({ row }: { row: OperatorProvider }) {
  if (row.source === "environment") return <Badge>set by the environment</Badge>;
  if (row.source === "console")
    return (
      <span>
        <span className="font-mono text-xs">{row.masked}</span>{" "}
        <Badge tone={row.status === "verified" ? "success" : "warning"}>{row.status}</Badge>
        {row.last_tested_at && <span className="block text-xs text-muted">tested {moment(row.last_tested_at)}</span>}
      </span>
    );
  return <span className="text-muted">{row.needs_key ? "none" : "none needed"}</span>;
}

function Breakers({ row }: { row: OperatorProvider }) {
  if (row.breakers.length === 0) return "–";
  return (
    <ul>
      {row.breakers.map((breaker) => (
        <li key={`${breaker.model} ${breaker.whose}`}>
          {breaker.model || "all models"}, {breaker.whose}: {count(breaker.failures)} failed
          {breaker.open_s > 0 && `, no calls for ${Math.ceil(breaker.open_s)} s`}
        </li>
      ))}
    </ul>
  );
}

function Acts({ row, onAct }: { row: OperatorProvider; onAct: (act: Act) => void }) {
  const api = useApi();
  const testing = useMutation({ mutationFn: () => testProviderKey(api, row.name) });
  if (row.name === "local" || row.name === "ollama") return null;
  return (
    <span className="flex flex-wrap items-center gap-1">
      {row.source !== "environment" && (
        <Button
          size="sm"
          aria-label={`${row.source ? "Replace" : "Add"} the key of ${row.title}`}
          onClick={() =>
            onAct({
              title: `A key of ${row.title}`,
              words: "It is tested first. Users' calls are then paid from your account there.",
              button: "Test and save",
              password: true,
              fields: <ActField label="API key" name="api_key" type="password" maxLength={4096} />,
              run: ({ api_key = "", reason, password }) => saveProviderKey(api, row.name, { api_key, reason, password }),
            })
          }
        >
          {row.source ? "Replace" : "Add"}
        </Button>
      )}
      {row.source && (
        <Button
          size="sm"
          aria-label={`Test the key of ${row.title}`}
          busy={testing.isPending}
          onClick={() => testing.mutate()}
        >
          Test
        </Button>
      )}
      {row.source === "console" && (
        <Button
          size="sm"
          aria-label={`Delete the key of ${row.title}`}
          onClick={() =>
            onAct({
              title: `Delete the key of ${row.title}?`,
              words: "Its models are then called with users' own keys only.",
              button: "Delete it",
              danger: true,
              password: true,
              run: ({ reason, password }) => dropProviderKey(api, row.name, { reason, password }),
            })
          }
        >
          Delete
        </Button>
      )}
      <span role="status">{testing.data?.verdict ?? testing.error?.message}</span>
    </span>
  );
}
