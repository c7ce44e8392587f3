import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { Field, Input, Textarea } from "@/shared/ui/input";
import { startRun } from "./runs-api";

const TOOLS = ["calculator", "fetch", "search_catalogue", "estimate"];
const isAgent = (name: string) => name.startsWith("agt_") || name.startsWith("agent/");

/** A run from here: an agent by its name, or a model with the tools that need nothing. */
export function StartForm({ onStarted }: { onStarted: (id: string) => void }) {
  const api = useApi();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [input, setInput] = useState("");
  const [cap, setCap] = useState("0.05");
  const starting = useMutation({
    mutationFn: () => {
      const who = isAgent(name.trim()) ? { agent_id: name.trim() } : { model: name.trim(), agent: { tools: TOOLS } };
      return startRun(api, { ...who, input, cap: Number(cap) });
    },
    onSuccess: async (run) => {
      setInput("");
      onStarted(run.run_id);
      await client.invalidateQueries({ queryKey: ["runs"] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    starting.mutate();
  };
  return (
    <form onSubmit={submit} aria-label="Start a run" className="flex flex-col gap-3 rounded-md border border-line p-3">
      <Field
        label="Agent or model"
        hint="agent/publisher/name, agt_…, or a model, which then gets a calculator, fetch, the catalogue and prices"
      >
        {(control) => (
          <Input {...control} required maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
      <Field label="Task" error={starting.error?.message}>
        {(control) => (
          <Textarea
            {...control}
            required
            maxLength={100_000}
            rows={3}
            value={input}
            onChange={(event) => setInput(event.target.value)}
          />
        )}
      </Field>
      <div className="flex flex-wrap items-end gap-3">
        <Field label="Cap, dollars" hint="It never spends more">
          {(control) => (
            <Input
              {...control}
              type="number"
              min="0"
              max="1000"
              step="any"
              required
              value={cap}
              onChange={(event) => setCap(event.target.value)}
            />
          )}
        </Field>
        <Button variant="primary" type="submit" busy={starting.isPending}>
          Run
        </Button>
      </div>
    </form>
  );
}
