import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useApi, useSession } from "@/shared/api/services";
import { Button, IconButton } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { Field, Input, Textarea } from "@/shared/ui/input";
import { blanksOf, fillBlanks } from "./blanks";
import { deletePrompt, type Prompt, promptsQuery, savePrompt } from "./library-api";

interface PromptsDialogProps {
  /** What stands in the composer: the beginning of a new prompt. */
  draft: string;
  onUse: (text: string) => void;
  onClose: () => void;
}

type Shown = { what: "list" } | { what: "edit"; prompt: Prompt | null } | { what: "fill"; prompt: Prompt };

/** Prompts kept to be asked again; the blanks of one are filled before it goes into the composer. */
export function PromptsDialog({ draft, onUse, onClose }: PromptsDialogProps) {
  const api = useApi();
  const client = useQueryClient();
  const { token } = useSession();
  const [shown, setShown] = useState<Shown>({ what: "list" });
  const [search, setSearch] = useState("");
  const found = useQuery(promptsQuery(api, token));
  const refresh = () => client.invalidateQueries({ queryKey: ["prompts"] });
  const forget = useMutation({ mutationFn: (id: string) => deletePrompt(api, id), onSettled: refresh });
  const list = () => setShown({ what: "list" });
  const use = (text: string) => {
    onUse(text);
    onClose();
  };
  const choose = (prompt: Prompt) =>
    blanksOf(prompt.text).length > 0 ? setShown({ what: "fill", prompt }) : use(prompt.text);
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const prompts = (found.data?.prompts ?? []).filter(({ name, text }) =>
    words.every((word) => `${name}\n${text}`.toLowerCase().includes(word)),
  );
  return (
    <Dialog open onOpenChange={onClose} title={shown.what === "fill" ? shown.prompt.name : "Your prompts"}>
      <DialogBody className="flex flex-col gap-3">
        {shown.what === "edit" && (
          <PromptForm
            prompt={shown.prompt}
            draft={draft}
            onCancel={list}
            onSaved={() => {
              void refresh();
              list();
            }}
          />
        )}
        {shown.what === "fill" && <FillForm prompt={shown.prompt} onCancel={list} onUse={use} />}
        {shown.what === "list" && (
          <>
            <div className="flex gap-2">
              <Input
                type="search"
                aria-label="Search prompts"
                placeholder="Search prompts"
                value={search}
                onChange={(event) => setSearch(event.target.value)}
              />
              <Button onClick={() => setShown({ what: "edit", prompt: null })}>
                <Plus aria-hidden /> New prompt
              </Button>
            </div>
            {found.error && (
              <p role="alert" className="text-danger">
                {found.error.message}
              </p>
            )}
            {found.isSuccess && prompts.length === 0 && (
              <p className="text-muted">
                {search ? "No prompt has these words." : "A prompt that you keep here is one click away in every chat."}
              </p>
            )}
            <ul className="flex flex-col gap-1">
              {prompts.map((prompt) => (
                <li key={prompt.id} className="flex items-center gap-1 rounded border border-line pr-1">
                  <button
                    type="button"
                    className="min-w-0 flex-1 px-2 py-1.5 text-left hover:bg-hover"
                    onClick={() => choose(prompt)}
                  >
                    <span className="block truncate font-medium">{prompt.name}</span>
                    <span className="block truncate text-xs text-muted">{prompt.text}</span>
                  </button>
                  <IconButton size="sm" label={`Change ${prompt.name}`} onClick={() => setShown({ what: "edit", prompt })}>
                    <Pencil aria-hidden className="size-3.5" />
                  </IconButton>
                  <IconButton size="sm" label={`Delete ${prompt.name}`} onClick={() => forget.mutate(prompt.id)}>
                    <Trash2 aria-hidden className="size-3.5" />
                  </IconButton>
                </li>
              ))}
            </ul>
          </>
        )}
      </DialogBody>
    </Dialog>
  );
}

function PromptForm(props: { prompt: Prompt | null; draft: string; onSaved: () => void; onCancel: () => void }) {
  const api = useApi();
  const [name, setName] = useState(props.prompt?.name ?? "");
  const [text, setText] = useState(props.prompt?.text ?? props.draft);
  const save = useMutation({
    mutationFn: () => savePrompt(api, { id: props.prompt?.id ?? null, name: name.trim(), text }),
    onSuccess: props.onSaved,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className="flex flex-col gap-3" onSubmit={submit}>
      <Field label="Name">
        {(control) => (
          <Input {...control} required maxLength={100} value={name} onChange={({ target }) => setName(target.value)} />
        )}
      </Field>
      <Field
        label="Prompt"
        hint="{{topic}} is a blank that is asked for; {{language=English}} one that is filled already."
        error={save.error?.message}
      >
        {(control) => (
          <Textarea
            {...control}
            required
            rows={8}
            maxLength={100_000}
            value={text}
            onChange={({ target }) => setText(target.value)}
          />
        )}
      </Field>
      <div className="flex justify-end gap-2">
        <Button onClick={props.onCancel}>Cancel</Button>
        <Button variant="primary" type="submit" busy={save.isPending}>
          Save
        </Button>
      </div>
    </form>
  );
}

function FillForm({ prompt, onUse, onCancel }: { prompt: Prompt; onUse: (text: string) => void; onCancel: () => void }) {
  const [words, setWords] = useState<Record<string, string>>({});
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        onUse(fillBlanks(prompt.text, words));
      }}
    >
      {blanksOf(prompt.text).map(({ name, usual }) => (
        <Field key={name} label={name} hint={usual ? `Empty: ${usual}` : undefined}>
          {(control) => (
            <Textarea
              {...control}
              rows={1}
              required={!usual}
              className="field-sizing-content max-h-40 min-h-8"
              value={words[name] ?? ""}
              onChange={({ target }) => setWords({ ...words, [name]: target.value })}
            />
          )}
        </Field>
      ))}
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Back</Button>
        <Button variant="primary" type="submit">
          Put into the message
        </Button>
      </div>
    </form>
  );
}
