import type { FormEvent, ReactNode } from "react";
import { Button } from "./button";
import { Dialog, DialogBody } from "./dialog";

interface FormDialogProps {
  title: string;
  /** What the button says that does it. */
  does?: string;
  busy?: boolean;
  onSubmit: (event: FormEvent<HTMLFormElement>) => void;
  onClose: () => void;
  /** The fields. */
  children: ReactNode;
}

/** A dialog that asks for something: its fields, then the choice between leaving it and doing it. */
export function FormDialog({ title, does = "Save", busy, onSubmit, onClose, children }: FormDialogProps) {
  return (
    <Dialog open onOpenChange={onClose} title={title}>
      <DialogBody>
        <form
          className="flex flex-col gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            onSubmit(event);
          }}
        >
          {children}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button variant="primary" type="submit" busy={busy}>
              {does}
            </Button>
          </div>
        </form>
      </DialogBody>
    </Dialog>
  );
}
