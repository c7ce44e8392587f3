import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import type { ConversationSummary } from "@/features/chat/talk/chat-api";
import { useApi, useSession } from "@/shared/api/services";
import { FormDialog } from "@/shared/ui/form-dialog";
import { Field, Input } from "@/shared/ui/input";
import { labelsQuery } from "./library-api";

interface OrganiseDialogProps {
  conversation: ConversationSummary;
  onSave: (labels: { folder: string; tags: string[] }) => Promise<void>;
  onClose: () => void;
}

/** A chat's folder and tags: written anew, or chosen from those there are. */
export function OrganiseDialog({ conversation, onSave, onClose }: OrganiseDialogProps) {
  const api = useApi();
  const { token } = useSession();
  const listId = useId();
  const labels = useQuery(labelsQuery(api, token)).data;
  const [folder, setFolder] = useState(conversation.folder ?? "");
  const [tags, setTags] = useState((conversation.tags ?? []).join(", "));
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      await onSave({ folder: folder.trim(), tags: tags.split(",").map((tag) => tag.trim()) });
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : "It could not be saved just now.");
      setBusy(false);
    }
  };
  return (
    <FormDialog title="Folder and tags" busy={busy} onSubmit={() => void save()} onClose={onClose}>
      <Field label="Folder" hint="Empty: in none. A new name makes a new folder.">
        {(control) => (
          <Input
            {...control}
            list={listId}
            maxLength={60}
            value={folder}
            onChange={(event) => setFolder(event.target.value)}
          />
        )}
      </Field>
      <datalist id={listId}>
        {labels?.folders.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </datalist>
      <Field
        label="Tags"
        hint={`With commas between them${labels?.tags.length ? `; there are ${labels.tags.map(({ name }) => name).join(", ")}` : ""}.`}
        error={problem ?? undefined}
      >
        {(control) => <Input {...control} value={tags} onChange={(event) => setTags(event.target.value)} />}
      </Field>
    </FormDialog>
  );
}
