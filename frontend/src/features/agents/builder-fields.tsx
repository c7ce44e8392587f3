import { Field, Input, NativeSelect, Textarea } from "@/shared/ui/input";
import type { Form } from "./builder-form";

const categories = ["code", "writing", "data", "research", "support", "other"];

export function BuilderFields({
  form,
  change,
  handle,
  fresh,
}: {
  form: Form;
  change: (patch: Partial<Form>) => void;
  handle: string;
  fresh: boolean;
}) {
  const line = (
    name: keyof Form,
    label: string,
    hint?: string,
    more: { required?: boolean; inputMode?: "decimal" } = {},
  ) => (
    <Field label={label} hint={hint}>
      {(control) => (
        <Input {...control} {...more} value={form[name]} onChange={({ target }) => change({ [name]: target.value })} />
      )}
    </Field>
  );
  const area = (name: keyof Form, label: string, rows: number, hint?: string) => (
    <Field label={label} hint={hint}>
      {(control) => (
        <Textarea {...control} rows={rows} value={form[name]} onChange={({ target }) => change({ [name]: target.value })} />
      )}
    </Field>
  );
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2">
        {line("name", "Name", undefined, { required: true })}
        {fresh && line("slug", "Short name", `agent/${handle}/${form.slug || "…"}, for good`, { required: true })}
        {line("model", "Model", "a model's id, or auto")}
        <Field label="Category">
          {(control) => (
            <NativeSelect {...control} value={form.category} onChange={({ target }) => change({ category: target.value })}>
              {categories.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </NativeSelect>
          )}
        </Field>
        {line("licence", "Licence", "SPDX, or proprietary: others may copy any but that")}
      </div>
      {line("summary", "Summary", "one line for the list")}
      {area("instructions", "Instructions", 8, "Not a place for secrets: a model can be talked into repeating them")}
      {area("description", "Description", 3)}
      <div className="grid gap-3 sm:grid-cols-2">
        {area(
          "tools",
          "Built-in tools",
          2,
          "calculator, fetch, search_catalogue, estimate; one a line. An added tool is reviewed",
        )}
        {area("hosts", "Hosts that see users' data", 2, "one a line; users agree to them")}
      </div>
      {area("starters", "Starter prompts", 2, "one a line, at most six")}
      <fieldset className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        <legend className="mb-1 text-sm font-medium">Price, in dollars</legend>
        {line("feeRun", "Fee a run", undefined, { inputMode: "decimal" })}
        {line("feeStep", "Fee a step", undefined, { inputMode: "decimal" })}
        {line("share", "Per cent of the models' cost", undefined, { inputMode: "decimal" })}
        {line("maxFee", "Fee at most", undefined, { inputMode: "decimal" })}
        {line("cap", "Usual cap of a run", undefined, { inputMode: "decimal" })}
        {line("steps", "Steps at most")}
      </fieldset>
    </>
  );
}
