import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { deleteRun } from "./runs-api";

/** Forgets a run that is over, once that was confirmed. */
export function DeleteRun({ id, onDeleted }: { id: string; onDeleted: () => void }) {
  const api = useApi();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const deleting = useMutation({
    mutationFn: () => deleteRun(api, id),
    onSuccess: () => {
      onDeleted();
      return client.invalidateQueries({ queryKey: ["runs"] });
    },
  });
  return (
    <>
      <Button className="ml-auto" onClick={() => setOpen(true)}>
        Delete…
      </Button>
      {open && (
        <Dialog open onOpenChange={setOpen} title="Delete this run?">
          <DialogBody className="flex flex-col gap-4">
            <p>
              What was asked, each step and the answer are gone for good, with the runs of agents below it. What it cost
              stays on your statement.
            </p>
            {deleting.error && (
              <p role="alert" className="text-danger">
                {deleting.error.message}
              </p>
            )}
            <div className="flex justify-end gap-2">
              <Button onClick={() => setOpen(false)}>Keep it</Button>
              <Button variant="danger" busy={deleting.isPending} onClick={() => deleting.mutate()}>
                Delete
              </Button>
            </div>
          </DialogBody>
        </Dialog>
      )}
    </>
  );
}
