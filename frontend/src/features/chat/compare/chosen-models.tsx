import { Plus, Save, X } from "lucide-react";
import { useState } from "react";
import { ModelPicker } from "@/features/chat/models/model-picker";
import { useModelName } from "@/features/chat/models/models";
import { useHost, useSession } from "@/shared/api/services";
import { Button, IconButton } from "@/shared/ui/button";
import { Input, NativeSelect } from "@/shared/ui/input";
import { MOST } from "./compare-api";
import { useListedAgents } from "./listed-agents";
import { readSets, removeSet, writeSet } from "./sets";

interface ChosenModelsProps {
  chosen: readonly string[];
  onChange: (models: string[]) => void;
}

/** Whom to ask: two to four models or agents, and the sets of them that are kept. */
export function ChosenModels({ chosen, onChange }: ChosenModelsProps) {
  const [picking, setPicking] = useState(false);
  const listed = useListedAgents(picking);
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      {chosen.map((id) => (
        <Chip key={id} id={id} onRemove={() => onChange(chosen.filter((each) => each !== id))} />
      ))}
      <Button size="sm" disabled={chosen.length >= MOST} onClick={() => setPicking(true)}>
        <Plus aria-hidden className="size-3.5!" /> Add a model
      </Button>
      <span className="text-xs text-muted">
        {chosen.length} of {MOST}
      </span>
      <Sets chosen={chosen} onChange={onChange} />
      <ModelPicker
        open={picking}
        onClose={() => setPicking(false)}
        current=""
        initialSearch=""
        onPick={(id) => {
          if (!chosen.includes(id) && chosen.length < MOST) onChange([...chosen, id]);
          setPicking(false);
        }}
        onAgents={() => setPicking(false)}
        more={listed}
      />
    </div>
  );
}

function Chip({ id, onRemove }: { id: string; onRemove: () => void }) {
  const name = useModelName(id);
  return (
    <span className="flex max-w-56 items-center rounded border border-line pl-2 text-xs">
      <span className="truncate">{name}</span>
      <IconButton label={`Do not ask ${name}`} size="sm" onClick={onRemove}>
        <X aria-hidden className="size-3.5!" />
      </IconButton>
    </span>
  );
}

function Sets({ chosen, onChange }: ChosenModelsProps) {
  const { storage } = useHost();
  const { account } = useSession();
  const [sets, setSets] = useState(() => readSets(storage, account));
  const [naming, setNaming] = useState<string | null>(null);
  const current = sets.find(({ models }) => models.length === chosen.length && models.every((id) => chosen.includes(id)));
  return (
    <span className="ml-auto flex flex-wrap items-center gap-1.5">
      {sets.length > 0 && (
        <NativeSelect
          aria-label="Kept sets"
          value={current?.name ?? ""}
          onChange={({ target }) => onChange(sets.find(({ name }) => name === target.value)?.models ?? [...chosen])}
        >
          <option value="">Kept sets</option>
          {sets.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </NativeSelect>
      )}
      {current && (
        <Button size="sm" variant="ghost" onClick={() => setSets(removeSet(storage, account, current.name))}>
          Forget it
        </Button>
      )}
      {!current && naming === null && chosen.length >= 2 && (
        <Button size="sm" variant="ghost" onClick={() => setNaming("My models")}>
          <Save aria-hidden className="size-3.5!" /> Keep this set
        </Button>
      )}
      {naming !== null && !current && (
        <form
          className="flex items-center gap-1.5"
          onSubmit={(event) => {
            event.preventDefault();
            if (naming.trim()) setSets(writeSet(storage, account, { name: naming.trim(), models: [...chosen] }));
            setNaming(null);
          }}
        >
          <Input
            aria-label="Name of the set"
            value={naming}
            maxLength={40}
            className="w-36"
            onChange={({ target }) => setNaming(target.value)}
          />
          <Button size="sm" type="submit">
            Keep
          </Button>
        </form>
      )}
    </span>
  );
}
