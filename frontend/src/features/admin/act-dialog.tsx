import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent, ReactNode } from "react";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { Field, Input } from "@/shared/ui/input";

export interface Act {
  title: string;
  /** What it does, in words. */
  words?: string;
  button: string;
  danger?: boolean;
  /** Money and roles ask for the administrator's own password again. */
  password?: boolean;
  /** More fields; their names are keys of what `run` gets. */
  fields?: ReactNode;
  run: (values: Record<string, string> & { reason: string; password: string }) => Promise<unknown>;
}

/** One act with its reason, and for money and roles the password: everything that administrators change goes through it. */
export function ActDialog({ act, onClose }: { act: Act; onClose: () => void }) {
  const client = useQueryClient();
  const doing = useMutation({
    mutationFn: act.run,
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["admin"] });
      onClose();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = Object.fromEntries([...new FormData(event.currentTarget)].map(([name, value]) => [name, String(value)]));
    doing.mutate({ ...given, reason: given.reason ?? "", password: given.password ?? "" });
  };
  return (
    <Dialog open onOpenChange={onClose} title={act.title}>
      <DialogBody>
        <form className="flex flex-col gap-3" onSubmit={submit}>
          {act.words && <p className="text-muted">{act.words}</p>}
          {act.fields}
          <Field label="Reason" hint="It stands in the audit log.">
            {(control) => <Input {...control} name="reason" required maxLength={500} autoComplete="off" />}
          </Field>
          {act.password && (
            <Field label="Your password">
              {(control) => <Input {...control} name="password" type="password" autoComplete="current-password" required />}
            </Field>
          )}
          {doing.error && (
            <p role="alert" className="text-danger">
              {doing.error.message}
            </p>
          )}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" variant={act.danger ? "danger" : "primary"} busy={doing.isPending}>
              {act.button}
            </Button>
          </div>
        </form>
      </DialogBody>
    </Dialog>
  );
}

/** A field of an act. */
export function ActField({ label, hint, ...input }: { label: string; hint?: string } & React.ComponentProps<"input">) {
  return (
    <Field label={label} hint={hint}>
      {(control) => <Input required autoComplete="off" {...input} {...control} />}
    </Field>
  );
}
