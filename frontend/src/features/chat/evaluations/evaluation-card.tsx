import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useModelName } from "@/features/chat/models/models";
import { useApi } from "@/shared/api/services";
import { count, moment, money } from "@/shared/lib/format";
import { saveFile } from "@/shared/lib/save-file";
import { Button } from "@/shared/ui/button";
import { deleteEvaluation, type Evaluation, evaluationResults, resumeEvaluation, stopEvaluation } from "./evaluations-api";
import { stateWords } from "./words";

/** One evaluation: how far it is, what it cost, what can be done with it. */
export function EvaluationCard({ evaluation }: { evaluation: Evaluation }) {
  const api = useApi();
  const client = useQueryClient();
  const { id, name, state, models, answers, expected_answers: expected } = evaluation;
  const act = useMutation({
    mutationFn: (run: () => Promise<unknown>) => run(),
    onSettled: () => client.invalidateQueries({ queryKey: ["evaluations"] }),
  });
  const save = (format: "csv" | "jsonl") =>
    act.mutate(async () => saveFile(await evaluationResults(api, id, format), `${name || "evaluation"}-results.${format}`));
  const more = Math.max(evaluation.budget, evaluation.cost) * 2;
  return (
    <article aria-label={name || "Evaluation"} className="flex flex-col gap-2 rounded-lg border border-line p-3">
      <header className="flex flex-wrap items-baseline gap-x-3">
        <h3 className="font-medium break-words">{name || "Evaluation"}</h3>
        <span className="text-sm text-muted">{moment(evaluation.created_at)}</span>
        <span className="ml-auto text-sm tabular-nums">
          {money(evaluation.cost)} of {money(evaluation.budget)}
        </span>
      </header>
      <progress aria-label={`Answers of ${name || "the evaluation"}`} className="w-full" max={expected} value={answers} />
      <p role="status" className="text-sm">
        {stateWords(evaluation)} {count(answers)} of {count(expected)} answers
        {evaluation.failed > 0 && `, ${count(evaluation.failed)} failed`}.
      </p>
      <div className="overflow-x-auto">
        <table className="w-full text-sm tabular-nums">
          <thead className="text-left text-muted">
            <tr>
              <th className="font-normal">Model</th>
              <th className="font-normal">Answers</th>
              <th className="font-normal">Failed</th>
              <th className="font-normal">Cost</th>
            </tr>
          </thead>
          <tbody>
            {models.map((each) => (
              <tr key={each.asked}>
                <td>
                  <ModelName id={each.asked} />
                </td>
                <td>{count(each.answers)}</td>
                <td>{count(each.failed)}</td>
                <td>{money(each.cost)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {act.error && (
        <p role="alert" className="text-danger">
          {act.error.message}
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        <Button size="sm" onClick={() => save("csv")}>
          Results as CSV
        </Button>
        <Button size="sm" onClick={() => save("jsonl")}>
          Results as JSON lines
        </Button>
        {state === "running" && (
          <Button size="sm" onClick={() => act.mutate(() => stopEvaluation(api, id))}>
            Stop
          </Button>
        )}
        {(state === "stopped" || state === "failed") && (
          <Button size="sm" onClick={() => act.mutate(() => resumeEvaluation(api, id, more))}>
            Go on, up to {money(more)}
          </Button>
        )}
        {state !== "running" && (
          <Button size="sm" variant="danger" onClick={() => act.mutate(() => deleteEvaluation(api, id))}>
            Delete
          </Button>
        )}
      </div>
    </article>
  );
}

function ModelName({ id }: { id: string }) {
  return <>{useModelName(id)}</>;
}
