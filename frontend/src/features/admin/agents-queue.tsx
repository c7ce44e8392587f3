import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { moment, money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import {
  agentQueueQuery,
  agentReportsQuery,
  closeReport,
  type Decision,
  decideVersion,
  type Waiting,
} from "./admin-agents-api";
import type { Acting } from "./agents-part";
import { Pages, Section, Table } from "./table";

const feeOf = (price: Waiting["version"]["spec"]["price"]) =>
  price.max_fee === 0 ? "free" : `${money(price.max_fee)} at most`;

/** Versions that nobody may find before a person has looked at them, and what users reported. */
export function AgentsQueue({ onAct }: Acting) {
  const api = useApi();
  const [shown, setShown] = useState<Waiting | null>(null);
  const query = useQuery(agentQueueQuery(api));
  const reports = useQuery(agentReportsQuery(api));
  const ask = (row: Waiting, decision: Decision) => {
    setShown(null);
    const about = `${row.model}, version ${row.version.version}`;
    const lists = decision === "approve";
    onAct({
      title: lists ? `List ${about}?` : `Reject ${about}?`,
      words: lists ? "Everybody finds it at once." : "Its author reads the reason.",
      button: lists ? "List it" : "Reject it",
      danger: !lists,
      password: lists,
      run: ({ reason, password }) => decideVersion(api, row.id, row.version.version, { decision, reason, password }),
    });
  };
  return (
    <>
      <Section title="Waiting for review">
        <Pages query={query}>
          <Table
            name="Versions that wait for review"
            columns={["Since", "Agent", "Author", "Version", "Why it waits", "Fee", "Acts"]}
            rows={query.data?.versions ?? []}
            keyOf={(row) => `${row.id}@${row.version.version}`}
            empty="No agent waits for you."
            cells={(row) => [
              moment(row.version.decided_at ?? row.version.created_at),
              row.model,
              row.email ?? "deleted",
              row.base === null ? `${row.version.version}, the first` : `${row.version.version}, after ${row.base}`,
              row.version.findings.join("; ") || (row.base === null ? "first listing" : "new tools, scopes or hosts"),
              feeOf(row.version.spec.price),
              <Button key="look" size="sm" aria-label={`Review ${row.model}`} onClick={() => setShown(row)}>
                Review
              </Button>,
            ]}
          />
        </Pages>
      </Section>
      <Section title="Reports">
        <Pages query={reports}>
          <Table
            name="Reports of users"
            columns={["When", "Agent", "Version", "Said to be", "Their words", "Acts"]}
            rows={reports.data?.reports ?? []}
            keyOf={(row) => row.id}
            empty="Nobody reported an agent."
            cells={(row) => [
              moment(row.at),
              row.agent_id,
              row.version,
              row.why,
              row.words,
              <Button
                key="close"
                size="sm"
                aria-label={`Close the report about ${row.agent_id}`}
                onClick={() =>
                  onAct({
                    title: "Close this report?",
                    words: row.words,
                    button: "Close it",
                    run: ({ reason }) => closeReport(api, row.id, reason),
                  })
                }
              >
                Close
              </Button>,
            ]}
          />
        </Pages>
      </Section>
      {shown && <Review row={shown} onDecide={(decision) => ask(shown, decision)} onClose={() => setShown(null)} />}
    </>
  );
}

interface ReviewProps {
  row: Waiting;
  onDecide: (decision: Decision) => void;
  onClose: () => void;
}

/** All that a version is: who sees data, what it may do and what it costs first, then what changed, then all of it. */
function Review({ row, onDecide, onClose }: ReviewProps) {
  const { spec } = row.version;
  const facts: [string, string][] = [
    ["Hosts that see data", spec.hosts.join(", ") || "none"],
    [
      "Tools",
      spec.tools
        .map((tool) => `${tool.server}/${tool.tool} (${tool.policy}${tool.idempotent ? "" : ", once"})`)
        .join(", ") || "none",
    ],
    ["Scopes", spec.scopes.join(", ") || "none"],
    ["Fee", feeOf(spec.price)],
    ["Model", spec.model],
    ["Cap of a run", `${money(spec.limits.cap_default)}, at most ${money(spec.limits.cap_max)}`],
    ["Licence", spec.licence],
    ["Findings", row.version.findings.join("; ") || "none"],
    ["Fingerprint", row.version.fingerprint],
  ];
  const changes = Object.entries(row.changes);
  return (
    <Dialog open onOpenChange={onClose} title={row.model} description={spec.summary} variant="drawer">
      <DialogBody className="flex flex-col gap-4">
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
          {facts.map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd className="m-0 break-words">{value}</dd>
            </div>
          ))}
        </dl>
        {row.base !== null && (
          <Section title={`Against version ${row.base}, which was listed last`}>
            {changes.length === 0 && <p className="text-muted">Nothing differs.</p>}
            {changes.map(([name, [before, after]]) => (
              <div key={name}>
                <h3 className="text-xs font-medium">{name.replaceAll("_", " ")}</h3>
                <del className="block whitespace-pre-wrap break-words no-underline before:content-['−_']">
                  {text(before)}
                </del>
                <ins className="block whitespace-pre-wrap break-words no-underline before:content-['+_']">{text(after)}</ins>
              </div>
            ))}
          </Section>
        )}
        <Section title="Instructions">
          <p className="whitespace-pre-wrap break-words">{spec.instructions}</p>
        </Section>
        <Section title="Description">
          <p className="whitespace-pre-wrap break-words">{spec.description || "none"}</p>
        </Section>
        <div className="flex justify-end gap-2">
          <Button variant="danger" onClick={() => onDecide("reject")}>
            Reject…
          </Button>
          <Button variant="primary" onClick={() => onDecide("approve")}>
            List it…
          </Button>
        </div>
      </DialogBody>
    </Dialog>
  );
}

const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value, null, 1));
