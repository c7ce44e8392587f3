import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi, useServices } from "@/shared/api/services";
import { saveFile } from "@/shared/lib/save-file";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { Field, Input } from "@/shared/ui/input";
import { changePassword, deleteAccount, exportAccount } from "./account-api";
import { Section } from "./section";

/** Password, a copy of everything, and the way out. */
export function DataSection() {
  const api = useApi();
  const [open, setOpen] = useState<"password" | "delete" | null>(null);
  const save = useMutation({
    mutationFn: () => exportAccount(api),
    onSuccess: (blob) => saveFile(blob, "my-marketplace-data.json"),
  });
  return (
    <Section title="Security and data">
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => setOpen("password")}>Change password</Button>
        <Button busy={save.isPending} onClick={() => save.mutate()}>
          Export all my data
        </Button>
        <Button variant="danger" onClick={() => setOpen("delete")}>
          Delete my account…
        </Button>
      </div>
      {save.error && (
        <p role="alert" className="mt-2 text-danger">
          {save.error.message}
        </p>
      )}
      {open === "password" && <PasswordDialog onClose={() => setOpen(null)} />}
      {open === "delete" && <DeleteDialog onClose={() => setOpen(null)} />}
    </Section>
  );
}

function PasswordDialog({ onClose }: { onClose: () => void }) {
  const { api, session } = useServices();
  const change = useMutation({
    mutationFn: ({ current, next, revokeKeys }: { current: string; next: string; revokeKeys: boolean }) =>
      changePassword(api, current, next, revokeKeys),
    onSuccess: ({ token }) => {
      session.signedIn(token);
      onClose();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    change.mutate({
      current: String(fields.get("current")),
      next: String(fields.get("next")),
      revokeKeys: fields.has("revoke"),
    });
  };
  return (
    <Dialog open onOpenChange={onClose} title="Change password" description="All your other sessions are signed out.">
      <DialogBody>
        <form className="flex flex-col gap-3" onSubmit={submit}>
          <Field label="Current password" error={change.error?.message}>
            {(control) => <Input {...control} name="current" type="password" autoComplete="current-password" required />}
          </Field>
          <Field label="New password" hint="At least 8 characters.">
            {(control) => (
              <Input {...control} name="next" type="password" autoComplete="new-password" minLength={8} required />
            )}
          </Field>
          <label className="flex min-h-6 cursor-pointer items-center gap-2 pointer-coarse:min-h-11">
            <input type="checkbox" name="revoke" className="size-4 shrink-0 accent-accent pointer-coarse:size-5" />
            Revoke all my marketplace keys too
          </label>
          <Button type="submit" variant="primary" busy={change.isPending}>
            Change password
          </Button>
        </form>
      </DialogBody>
    </Dialog>
  );
}

function DeleteDialog({ onClose }: { onClose: () => void }) {
  const { api, session } = useServices();
  const remove = useMutation({
    mutationFn: (password: string) => deleteAccount(api, password),
    onSuccess: () => session.signedOut(),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    remove.mutate(String(new FormData(event.currentTarget).get("password")));
  };
  return (
    <Dialog open onOpenChange={onClose} title="Delete your account?">
      <DialogBody>
        <form className="flex flex-col gap-3" onSubmit={submit}>
          <p>
            Your chats, keys and what is left of your balance are gone for good. Export your data first if you want to keep
            it.
          </p>
          <Field label="Your password" error={remove.error?.message}>
            {(control) => <Input {...control} name="password" type="password" autoComplete="current-password" required />}
          </Field>
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Keep my account</Button>
            <Button type="submit" variant="danger" busy={remove.isPending}>
              Delete for good
            </Button>
          </div>
        </form>
      </DialogBody>
    </Dialog>
  );
}
