import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { AUTO } from "@/features/chat/models/models";
import { modelsQuery } from "@/shared/api/queries";
import { useApi } from "@/shared/api/services";
import { day } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Field, Input, NativeSelect, Textarea } from "@/shared/ui/input";
import { type Agent, type AgentDraft, agentVersionsQuery, isAgent, saveAgent } from "./agents-api";

interface AgentFormProps {
  /** Null: a new one. */
  agent: Agent | null;
  start: Pick<AgentDraft, "model" | "instructions">;
  onCancel: () => void;
  onSaved: () => void;
}

/** What an agent is: name, model, instructions, and the two parameters that people turn. */
export function AgentForm({ agent, start, onCancel, onSaved }: AgentFormProps) {
  const api = useApi();
  const client = useQueryClient();
  const [draft, setDraft] = useState<AgentDraft>(
    () => agent ?? { ...start, model: isAgent(start.model) ? AUTO.id : start.model, name: "", parameters: {} },
  );
  const change = (fields: Partial<AgentDraft>) => setDraft({ ...draft, ...fields });
  const save = useMutation({
    mutationFn: () => {
      const { name, model, instructions, parameters } = draft;
      return saveAgent(api, { name: name.trim(), model, instructions: instructions.trim(), parameters }, agent?.id ?? null);
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["agents"] });
      onSaved();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (draft.name.trim()) save.mutate();
  };
  const parameter = (name: string, value: string) => {
    const { [name]: _old, ...others } = draft.parameters;
    change({ parameters: value === "" ? others : { ...others, [name]: Number(value) } });
  };
  return (
    <form className="flex flex-col gap-3" onSubmit={submit}>
      {agent && agent.version > 1 && <Versions agent={agent} onChoose={setDraft} />}
      <Field label="Name">
        {(control) => (
          <Input
            {...control}
            required
            maxLength={100}
            placeholder="Code reviewer"
            value={draft.name}
            onChange={(event) => change({ name: event.target.value })}
          />
        )}
      </Field>
      <Field label="Model">
        {(control) => <ModelSelect {...control} value={draft.model} onChange={(model) => change({ model })} />}
      </Field>
      <Field label="Instructions" hint="They go along with each question, so they cost input tokens each time.">
        {(control) => (
          <Textarea
            {...control}
            rows={6}
            value={draft.instructions}
            onChange={(event) => change({ instructions: event.target.value })}
          />
        )}
      </Field>
      <div className="flex flex-wrap gap-3">
        <Field label="Temperature" hint="0 to 2: from steady to inventive" className="flex-1">
          {(control) => (
            <Input
              {...control}
              type="number"
              min={0}
              max={2}
              step="any"
              placeholder="the model's own"
              value={shown(draft.parameters.temperature)}
              onChange={(event) => parameter("temperature", event.target.value)}
            />
          )}
        </Field>
        <Field label="Longest answer, tokens" hint="Also limits what an answer can cost" className="flex-1">
          {(control) => (
            <Input
              {...control}
              type="number"
              min={1}
              step={1}
              placeholder="the model's own"
              value={shown(draft.parameters.max_tokens)}
              onChange={(event) => parameter("max_tokens", event.target.value)}
            />
          )}
        </Field>
      </div>
      {save.isError && (
        <p role="alert" className="text-danger">
          {save.error.message}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button variant="primary" type="submit" busy={save.isPending}>
          {agent ? "Save as a new version" : "Save"}
        </Button>
      </div>
    </form>
  );
}

const shown = (value: unknown): string => (typeof value === "number" ? String(value) : "");

function ModelSelect({ value, onChange, ...control }: { id: string; value: string; onChange: (id: string) => void }) {
  const models = useQuery(modelsQuery(useApi())).data ?? [];
  const usable = models.filter((model) => model.is_available || model.id === value);
  const unknown = value !== AUTO.id && !usable.some((model) => model.id === value);
  return (
    <NativeSelect {...control} className="w-full" value={value} onChange={(event) => onChange(event.target.value)}>
      <option value={AUTO.id}>Auto: Q Assistant picks for each question</option>
      {unknown && <option value={value}>{value}</option>}
      {usable.map((model) => (
        <option key={model.id} value={model.id}>
          {model.name}
        </option>
      ))}
    </NativeSelect>
  );
}

/** Earlier versions; choosing one fills the form with it, saving makes it the newest. */
function Versions({ agent, onChoose }: { agent: Agent; onChoose: (version: Agent) => void }) {
  const versions = useQuery(agentVersionsQuery(useApi(), agent.id)).data ?? [agent];
  return (
    <Field label="Version">
      {(control) => (
        <NativeSelect
          {...control}
          className="w-full"
          defaultValue={agent.version}
          onChange={(event) => {
            const chosen = versions.find((each) => String(each.version) === event.target.value);
            if (chosen) onChoose(chosen);
          }}
        >
          {versions.map((each) => (
            <option key={each.version} value={each.version}>
              {each.version} · {day(each.updated_at)}
              {each.version === agent.version ? " · in use" : ""}
            </option>
          ))}
        </NativeSelect>
      )}
    </Field>
  );
}
