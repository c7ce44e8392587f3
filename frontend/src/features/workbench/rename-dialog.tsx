import { useState } from "react";
import { FormDialog } from "@/shared/ui/form-dialog";
import { Field, Input } from "@/shared/ui/input";
import type { WorkFile } from "./work-file";

/** A file's name, whose ending also decides its language. */
export function RenameDialog({
  file,
  onRename,
  onClose,
}: {
  file: WorkFile;
  onRename: (name: string) => void;
  onClose: () => void;
}) {
  const [name, setName] = useState(file.name);
  return (
    <FormDialog
      title="Rename the file"
      does="Rename"
      onClose={onClose}
      onSubmit={() => {
        if (!name.trim()) return;
        onRename(name.trim());
        onClose();
      }}
    >
      <Field
        label="Name"
        hint={file.handle ? "The file on disk keeps its old name: the next save asks where this one goes." : undefined}
      >
        {(control) => (
          <Input
            {...control}
            autoFocus
            required
            maxLength={255}
            value={name}
            onFocus={(event) => event.target.setSelectionRange(0, stem(file.name))}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  );
}

/** Characters before the ending, which mostly stays. */
function stem(name: string): number {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? dot : name.length;
}
