import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { Field, NativeSelect, Textarea } from "@/shared/ui/input";
import { report } from "./agents-api";

const reasons = ["harmful", "deceives", "copied", "leaks data", "broken", "other"];

/** Tells the operator that something is wrong with an agent. */
export function ReportForm({ path, version }: { path: string; version: number }) {
  const api = useApi();
  const [why, setWhy] = useState("deceives");
  const [words, setWords] = useState("");
  const [said, setSaid] = useState("");
  const send = () =>
    report(api, path, version, why, words)
      .then(() => setSaid("Reported: an administrator will read it."))
      .catch((error: Error) => setSaid(error.message));
  return (
    <details className="text-sm">
      <summary className="cursor-pointer text-muted">Report this agent</summary>
      <div className="mt-2 flex max-w-md flex-col gap-2">
        <Field label="What is wrong">
          {(control) => (
            <NativeSelect {...control} value={why} onChange={({ target }) => setWhy(target.value)}>
              {reasons.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </NativeSelect>
          )}
        </Field>
        <Field label="In your words">
          {(control) => <Textarea {...control} value={words} onChange={({ target }) => setWords(target.value)} />}
        </Field>
        <div className="flex items-center gap-2">
          <Button onClick={() => void send()}>Report</Button>
          <span role="status" className="text-xs text-muted">
            {said}
          </span>
        </div>
      </div>
    </details>
  );
}
