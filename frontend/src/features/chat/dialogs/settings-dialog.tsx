import { type FormEvent, useState } from "react";
import type { ChatModel } from "@/features/chat/models/models";
import { type ChatSettings, efforts, parseSettings } from "@/features/chat/talk/settings";
import { FormDialog } from "@/shared/ui/form-dialog";
import { Field, Input, NativeSelect } from "@/shared/ui/input";

interface SettingsDialogProps {
  title: string;
  settings: ChatSettings;
  /** Whoever is asked; `AUTO` where it is several. */
  model: ChatModel;
  onSave: (settings: ChatSettings) => void;
  onClose: () => void;
}

/** Temperature, effort, length and form of answers; what this model does not take can't be set. */
export function SettingsDialog({ title, settings: given, model, onSave, onClose }: SettingsDialogProps) {
  const [settings] = useState<ChatSettings>(given);
  // Nothing known of a model forbids nothing: the server says what it left out.
  const takes = (...names: string[]) =>
    model.parameters.length === 0 || names.some((name) => model.parameters.includes(name));
  const unable = (ok: boolean) => (ok ? undefined : `${model.name} does not take this.`);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    const fields = new FormData(event.currentTarget);
    const number = (name: string) => (fields.get(name) ? Number(fields.get(name)) : undefined);
    const next = {
      temperature: number("temperature"),
      effort: fields.get("effort") || undefined,
      maxTokens: number("maxTokens"),
      json: fields.get("format") === "json",
    };
    onSave(parseSettings(JSON.stringify(next)));
    onClose();
  };
  const warm = takes("temperature");
  const thinks = takes("reasoning", "reasoning_effort");
  const forms = takes("response_format", "structured_outputs");
  return (
    <FormDialog title={title} onSubmit={submit} onClose={onClose}>
      <Field label="Temperature" hint={unable(warm) ?? "0 is steady, 1 usual, up to 2. Empty: the model's own."}>
        {(control) => (
          <Input
            {...control}
            name="temperature"
            type="number"
            min={0}
            max={2}
            step={0.1}
            disabled={!warm}
            defaultValue={settings.temperature}
          />
        )}
      </Field>
      <Field label="Effort" hint={unable(thinks) ?? "How long it thinks first: more is dearer and slower."}>
        {(control) => (
          <NativeSelect {...control} name="effort" disabled={!thinks} defaultValue={settings.effort ?? ""}>
            <option value="">The model's own</option>
            {efforts.map((effort) => (
              <option key={effort}>{effort}</option>
            ))}
          </NativeSelect>
        )}
      </Field>
      <Field label="Longest answer, tokens" hint="Empty: as long as it gets.">
        {(control) => (
          <Input {...control} name="maxTokens" type="number" min={1} step={1} defaultValue={settings.maxTokens} />
        )}
      </Field>
      <Field label="Form" hint={unable(forms)}>
        {(control) => (
          <NativeSelect {...control} name="format" disabled={!forms} defaultValue={settings.json ? "json" : ""}>
            <option value="">Text</option>
            <option value="json">JSON</option>
          </NativeSelect>
        )}
      </Field>
    </FormDialog>
  );
}
