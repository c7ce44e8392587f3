import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ChosenModels } from "@/features/chat/compare/chosen-models";
import { useApi } from "@/shared/api/services";
import { saveFile } from "@/shared/lib/save-file";
import { Button } from "@/shared/ui/button";
import { Field, Input } from "@/shared/ui/input";
import { startEvaluation } from "./evaluations-api";

const EXAMPLE =
  "id,prompt,expected\nsum,What is 17 + 25? Answer with the number only.,42\ncapital,Name the capital of Peru.,Lima\n";

/** A file of prompts, whom to ask, and what all of it may cost. */
export function NewEvaluationForm({ models }: { models: readonly string[] }) {
  const api = useApi();
  const client = useQueryClient();
  const [chosen, setChosen] = useState<string[]>([...models]);
  const [file, setFile] = useState<File | null>(null);
  const [budget, setBudget] = useState("0.50");
  const [maxTokens, setMaxTokens] = useState("1024");
  const begin = useMutation({
    mutationFn: (given: File) =>
      startEvaluation(api, {
        file: given,
        models: chosen,
        budget: Number(budget),
        maxTokens: Number(maxTokens),
        name: given.name.slice(0, 100),
      }),
    onSettled: () => client.invalidateQueries({ queryKey: ["evaluations"] }),
  });
  const missing = file === null ? "Choose a file first." : chosen.length === 0 ? "Choose a model first." : null;
  const [told, setTold] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTold(true);
    if (file && !missing) begin.mutate(file);
  };
  const problem = told && missing ? missing : begin.error?.message;
  return (
    <form
      aria-label="New evaluation"
      className="flex flex-col gap-3 rounded-lg border border-line bg-surface p-4"
      onSubmit={submit}
    >
      <p>
        One prompt after the other goes to every model, and stops before the first that could cost more than the budget
        allows. A CSV file names its columns in the first line: <code>prompt</code>, and if wanted <code>system</code>,{" "}
        <code>expected</code>, <code>id</code>; JSON lines have the same fields.{" "}
        <Button
          variant="link"
          size="sm"
          onClick={() => saveFile(new Blob([EXAMPLE], { type: "text/csv" }), "evaluation-example.csv")}
        >
          Save an example
        </Button>
      </p>
      <Field label="Prompts (CSV or JSON lines, at most 1,000)">
        {(control) => (
          <Input
            {...control}
            type="file"
            accept=".csv,.jsonl,.ndjson,text/csv,application/jsonl"
            onChange={({ target }) => setFile(target.files?.[0] ?? null)}
          />
        )}
      </Field>
      <ChosenModels chosen={chosen} onChange={setChosen} />
      <div className="flex flex-wrap items-end gap-3">
        <Field label="Budget for all, dollars" className="w-44">
          {(control) => (
            <Input
              {...control}
              type="number"
              required
              min={0.0001}
              step="any"
              value={budget}
              onChange={({ target }) => setBudget(target.value)}
            />
          )}
        </Field>
        <Field label="Longest answer, tokens" className="w-44">
          {(control) => (
            <Input
              {...control}
              type="number"
              required
              min={1}
              max={8192}
              value={maxTokens}
              onChange={({ target }) => setMaxTokens(target.value)}
            />
          )}
        </Field>
        <Button variant="primary" type="submit" busy={begin.isPending}>
          Begin
        </Button>
      </div>
      {problem && (
        <p role="alert" className="text-danger">
          {problem}
        </p>
      )}
    </form>
  );
}
