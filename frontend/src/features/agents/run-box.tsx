import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useApi } from "@/shared/api/services";
import { money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Field, Input, Textarea } from "@/shared/ui/input";
import { Notice } from "@/shared/ui/notice";
import { cancel, newRunId, type Run, run } from "./agents-api";
import { Rate } from "./rate";

export interface RunBoxProps {
  /** For labels. */
  model: string;
  /** What to run: `agent/publisher/slug`, perhaps with `@n`. */
  name: string;
  /** `publisher/slug`, where the run may be rated. */
  path?: string;
  cap: string;
  starters: readonly string[];
}

/** Runs an agent once and shows the answer with what it cost. Stop, and leaving the page, end the run itself. */
export function RunBox({ model, name, path, cap: usual, starters }: RunBoxProps) {
  const api = useApi();
  const cache = useQueryClient();
  const [input, setInput] = useState("");
  const [cap, setCap] = useState(usual);
  const [ended, setEnded] = useState<Run | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const underWay = useRef<string | null>(null);
  const stop = () => {
    if (underWay.current) void cancel(api, underWay.current).catch(() => undefined); // it had ended by then
  };
  const leave = useRef(stop);
  leave.current = stop;
  useEffect(() => () => leave.current(), []);
  const start = async () => {
    underWay.current = newRunId();
    setBusy(true);
    setProblem(null);
    setEnded(null);
    try {
      setEnded((await run(api, underWay.current, name, input, cap)).run);
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      underWay.current = null;
      setBusy(false);
      void cache.invalidateQueries({ queryKey: ["agents", "card"] });
    }
  };
  return (
    <form
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      <Field label={`Ask ${model}`}>
        {(control) => (
          <Textarea {...control} rows={4} required value={input} onChange={({ target }) => setInput(target.value)} />
        )}
      </Field>
      {starters.length > 0 && (
        <div className="flex flex-wrap gap-1">
          {starters.map((text) => (
            <Button key={text} size="sm" type="button" onClick={() => setInput(text)}>
              {text}
            </Button>
          ))}
        </div>
      )}
      <div className="flex flex-wrap items-end gap-2">
        <Field label="At most, dollars" className="w-36">
          {(control) => (
            <Input {...control} inputMode="decimal" value={cap} onChange={({ target }) => setCap(target.value)} />
          )}
        </Field>
        <Button variant="primary" type="submit" disabled={busy}>
          {busy ? "Running…" : "Run"}
        </Button>
        {busy && (
          <Button type="button" onClick={stop}>
            Stop
          </Button>
        )}
      </div>
      {problem && (
        <Notice tone="error" title="It did not run">
          {problem}
        </Notice>
      )}
      {ended && (
        <output aria-label="Answer" className="flex flex-col gap-2">
          <p className="whitespace-pre-wrap rounded-md border border-line bg-raised p-3 text-sm">
            {ended.result || outcome(ended)}
          </p>
          <p className="text-xs text-muted tabular-nums">
            {money(ended.spent)} in all · {ended.state} ·{" "}
            <a href={`/runs?run=${ended.run_id}`} className="text-link underline">
              Steps and receipt
            </a>
          </p>
          {path && ended.state === "done" && <Rate path={path} run={ended.run_id} />}
        </output>
      )}
    </form>
  );
}

function outcome(run: Run): string {
  if (run.state === "waiting") return "It waits for your approval of a call: answer below, under Steps.";
  if (run.state === "cancelled") return "You stopped it.";
  return `It ended as ${run.state}: ${run.stop_reason}.`;
}
