import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { count, moment, money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { NativeSelect } from "@/shared/ui/input";
import { Skeleton } from "@/shared/ui/skeleton";
import { type Act, ActDialog } from "./act-dialog";
import { type Dispute, decide, disputesQuery, evidenceQuery } from "./admin-api";
import { Pages, Table } from "./table";

const whys: Record<Dispute["why"], string> = {
  wrong: "wrong",
  empty: "empty",
  other_model: "another model",
  not_asked: "not what was asked",
  failed: "broke off",
};

/** Answers that somebody wants their money back for, with the receipt as evidence. Nobody sees a prompt. */
export function AnswersPart() {
  const api = useApi();
  const [state, setState] = useState("open");
  const [shown, setShown] = useState<string | null>(null);
  const [act, setAct] = useState<Act | null>(null);
  const query = useInfiniteQuery(disputesQuery(api, state));
  const rows = query.data?.pages.flatMap((page) => page.disputes) ?? [];
  const deciding = (row: Dispute, grant: boolean): Act => ({
    title: grant ? `Give ${money(row.amount)} back?` : "Refuse to give it back?",
    words: row.words,
    button: grant ? "Give it back" : "Refuse",
    danger: !grant,
    password: true,
    run: ({ reason, password }) => decide(api, row.request_id, { grant, reason, password }),
  });
  return (
    <div className="flex flex-col gap-3">
      <NativeSelect aria-label="State" className="w-fit" value={state} onChange={(event) => setState(event.target.value)}>
        {["open", "granted", "refused", ""].map((name) => (
          <option key={name} value={name}>
            {name || "in any state"}
          </option>
        ))}
      </NativeSelect>
      <Pages query={query}>
        <Table
          name="Disputed answers, newest first"
          columns={["When", "Whose", "Cost", "Said to be", "Their words", "State", "Acts"]}
          rows={rows}
          keyOf={(row) => row.request_id}
          empty="No disputed answers."
          cells={(row) => [
            moment(row.created_at),
            row.email ?? "deleted",
            money(row.amount),
            whys[row.why],
            row.words,
            row.rule ? `${row.state}: ${row.rule}` : row.state,
            <span key="acts" className="flex flex-wrap gap-1">
              <Button size="sm" aria-label={`Receipt of ${row.request_id}`} onClick={() => setShown(row.request_id)}>
                Receipt
              </Button>
              {row.state === "open" && (
                <>
                  <Button size="sm" aria-label={`Give back ${row.request_id}`} onClick={() => setAct(deciding(row, true))}>
                    Give back
                  </Button>
                  <Button size="sm" aria-label={`Refuse ${row.request_id}`} onClick={() => setAct(deciding(row, false))}>
                    Refuse
                  </Button>
                </>
              )}
            </span>,
          ]}
        />
      </Pages>
      {shown && <Evidence id={shown} onClose={() => setShown(null)} />}
      {act && <ActDialog act={act} onClose={() => setAct(null)} />}
    </div>
  );
}

interface Receipt {
  model?: string;
  requested_model?: string | null;
  provider?: string;
  status?: string;
  finish_reason?: string | null;
  usage?: { input_tokens?: number; output_tokens?: number };
  attempts?: { model?: string; provider?: string; status?: number | null; reason?: string | null }[];
}

function Evidence({ id, onClose }: { id: string; onClose: () => void }) {
  const api = useApi();
  const receipt = useQuery(evidenceQuery(api, id)).data?.generation as Receipt | undefined;
  const facts = receipt && [
    ["Asked for", receipt.requested_model ?? receipt.model],
    ["Answered by", `${receipt.model} at ${receipt.provider}`],
    ["Ended", `${receipt.status}${receipt.finish_reason ? `, ${receipt.finish_reason}` : ""}`],
    ["Tokens", `${count(receipt.usage?.input_tokens ?? 0)} in, ${count(receipt.usage?.output_tokens ?? 0)} out`],
    ...(receipt.attempts ?? []).map((attempt, place) => [
      `Try ${place + 1}`,
      `${attempt.model} at ${attempt.provider}${attempt.reason ? `: ${attempt.reason}` : ""}`,
    ]),
  ];
  return (
    <Dialog open onOpenChange={onClose} title="Receipt" description={id} variant="drawer">
      <DialogBody>
        {facts ? (
          <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
            {facts.map(([name, value]) => (
              <div key={name} className="contents">
                <dt className="text-muted">{name}</dt>
                <dd className="m-0 break-words">{value}</dd>
              </div>
            ))}
          </dl>
        ) : (
          <Skeleton className="h-40" />
        )}
      </DialogBody>
    </Dialog>
  );
}
