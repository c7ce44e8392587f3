import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useApi } from "@/shared/api/services";
import { moment, money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { answerQuestion, type Question } from "./runs-api";

/** Calls that a run may only make with its user's leave: what exactly, and the most that it can cost. */
export function Questions({ questions }: { questions: readonly Question[] }) {
  if (!questions.length) return null;
  return (
    <ul aria-label="Calls that wait for your answer" className="flex flex-col gap-3">
      {questions.map((question) => (
        <Asked key={question.approval_id} question={question} />
      ))}
    </ul>
  );
}

function Asked({ question }: { question: Question }) {
  const api = useApi();
  const client = useQueryClient();
  const answering = useMutation({
    mutationFn: (allow: boolean) => answerQuestion(api, question, allow),
    onSettled: () =>
      client.invalidateQueries({ queryKey: ["approvals"] }).then(() => client.invalidateQueries({ queryKey: ["run"] })),
  });
  return (
    <li className="flex flex-col gap-2 rounded-md border border-fg/20 bg-raised p-3">
      <p className="font-medium">
        May it call <code>{question.name}</code>?
      </p>
      <pre className="rounded bg-input p-2 text-xs whitespace-pre-wrap break-words">{question.arguments}</pre>
      <p className="text-xs text-muted">
        At most {money(question.most)} for the call itself. Without an answer by {moment(question.expires_at)} it is not
        made.
      </p>
      {answering.isError && (
        <p role="alert" className="text-danger">
          {answering.error.message}
        </p>
      )}
      <div className="flex gap-2">
        <Button variant="primary" busy={answering.isPending} onClick={() => answering.mutate(true)}>
          Allow this call
        </Button>
        <Button busy={answering.isPending} onClick={() => answering.mutate(false)}>
          Refuse
        </Button>
      </div>
    </li>
  );
}
