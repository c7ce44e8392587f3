import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { useApi, useSession, withHost } from "@/shared/api/services";
import { money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { LoadFailed } from "@/shared/ui/load-failed";
import { Notice } from "@/shared/ui/notice";
import { SignedOut } from "@/shared/ui/signed-out";
import { Skeleton } from "@/shared/ui/skeleton";
import "@/features/chat/chat.css";
import { ChosenModels } from "./chosen-models";
import { Columns } from "./columns";
import { type Comparison, comparisonsQuery, questionText } from "./compare-api";
import { DiffDialog } from "./diff-dialog";
import { Heard } from "./heard";
import { PastComparisons } from "./past-comparisons";
import { QuestionForm } from "./question-form";
import { useComparison } from "./use-comparison";
import { VoteBar } from "./vote-bar";

const ReceiptDialog = lazy(() =>
  import("@/shared/receipt/receipt-dialog").then((module) => ({ default: module.ReceiptDialog })),
);

export interface ComparePageProps {
  /** The comparison that is looked at; null = a new one. */
  id: string | null;
  /** Whom a new one asks to begin with. */
  models: readonly string[];
  onOpen: (id: string | null) => void;
  onConversation: (id: string) => void;
}

/** The same question to two to four models: side by side, openly or blind. */
function Compare({ id, models, onOpen, onConversation }: ComparePageProps) {
  const { token } = useSession();
  const [chosen, setChosen] = useState<string[]>([...models]);
  const [blind, setBlind] = useState(false);
  const [open, setOpen] = useState<{ receipt: string } | "diff" | null>(null);
  const [together, setTogether] = useState(true);
  const act = useComparison(id, { onOpen, onConversation });
  const { comparison } = act;

  if (!token) {
    return (
      <SignedOut>
        Here you ask several models the same question, and see their answers, prices and times side by side.
      </SignedOut>
    );
  }
  const goesOn = comparison?.revealed && comparison.answers.every(({ status }) => status !== "running");
  return (
    <div className="chat-root flex h-full min-h-0 flex-col">
      <header className="flex flex-wrap items-baseline gap-x-4 gap-y-1 px-4 pt-3 pb-2">
        <h1 className="text-lg font-semibold">Compare answers</h1>
        <a href="/leaderboard" className="text-link underline">
          Leaderboard
        </a>
        <a href="/evaluations" className="text-link underline">
          Evaluations
        </a>
        {id !== null && (
          <Button variant="link" size="sm" onClick={() => onOpen(null)}>
            New comparison
          </Button>
        )}
        {comparison && (
          <span className="ml-auto flex flex-wrap items-center gap-3 text-sm">
            {comparison.cost !== null && <span className="text-muted tabular-nums">{money(comparison.cost)} in all</span>}
            <label className="flex items-center gap-1.5 max-md:hidden">
              <input type="checkbox" checked={together} onChange={({ target }) => setTogether(target.checked)} />
              Scroll together
            </label>
            <Button size="sm" onClick={() => setOpen("diff")}>
              What differs
            </Button>
          </span>
        )}
      </header>
      {act.loading && <Skeleton className="m-4 h-60" />}
      {act.problem && (
        <Notice
          tone="error"
          title={act.problem}
          className="mx-4"
          actions={<Button onClick={act.reload}>Try again</Button>}
        />
      )}
      {comparison ? (
        <>
          <Asked comparison={comparison} />
          <Heard answers={comparison.answers} />
          <Columns
            key={comparison.id}
            comparison={comparison}
            together={together}
            askedAt={act.askedAt}
            priceOf={act.priceOf}
            actions={{ ...act.actions, onReceipt: (receipt) => setOpen({ receipt }) }}
          />
          {!comparison.revealed && (
            <VoteBar
              key={`${comparison.id}-vote`}
              comparison={comparison}
              busy={act.busy}
              problem={act.refused}
              onVote={act.vote}
              onReveal={act.reveal}
            />
          )}
        </>
      ) : (
        <div className="min-h-0 flex-1 overflow-y-auto px-4">{id === null && <Past onOpen={onOpen} />}</div>
      )}
      {(id === null || goesOn) && (
        <div className="border-t border-line px-4 pt-2 pb-3">
          <div className="mx-auto flex w-full max-w-4xl flex-col gap-2">
            {id === null && (
              <>
                <ChosenModels chosen={chosen} onChange={setChosen} />
                <label className="flex items-center gap-1.5 text-sm">
                  <input type="checkbox" checked={blind} onChange={({ target }) => setBlind(target.checked)} />
                  Blind: names and prices are hidden until you have voted
                </label>
              </>
            )}
            <QuestionForm
              key={id ?? "new"}
              models={chosen}
              blind={blind}
              after={id === null ? null : (comparison?.id ?? null)}
              busy={act.busy}
              onAsk={act.ask}
            />
            {act.refused && (id === null || goesOn) && (
              <p role="alert" className="text-xs text-danger">
                {act.refused}
              </p>
            )}
          </div>
        </div>
      )}
      {open === "diff" && comparison && (
        <DiffDialog
          answers={comparison.answers}
          name={({ side, model }) => (model ? `${side.toUpperCase()} · ${model}` : side.toUpperCase())}
          onClose={() => setOpen(null)}
        />
      )}
      {open && open !== "diff" && (
        <Suspense>
          <ReceiptDialog requestId={open.receipt} onClose={() => setOpen(null)} />
        </Suspense>
      )}
    </div>
  );
}

function Asked({ comparison }: { comparison: Comparison }) {
  return (
    <p dir="auto" className="line-clamp-2 border-b border-line px-4 pb-2 text-sm whitespace-pre-wrap">
      <span className="text-muted">{comparison.blind && !comparison.revealed ? "Blind · " : ""}</span>
      {questionText(comparison)}
    </p>
  );
}

function Past({ onOpen }: { onOpen: (id: string) => void }) {
  const api = useApi();
  const { token } = useSession();
  const past = useQuery(comparisonsQuery(api, token));
  if (past.isError) {
    return <LoadFailed what="Your comparisons" error={past.error} onRetry={() => void past.refetch()} />;
  }
  if (past.isLoading) return <Skeleton className="my-4 h-40" />;
  return <PastComparisons comparisons={past.data ?? []} onOpen={onOpen} />;
}

export const ComparePage = withHost<ComparePageProps>(Compare);
