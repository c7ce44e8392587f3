import { useWorkspace } from "@/app/workspace";
import { leave } from "@/features/account/account-api";
import { hasDrafts } from "@/features/chat/talk/chat-memory";
import { useServices } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";

/** Signs out; asks first (`ask`) where something would be lost that lies in this browser only. */
export function useLeave(): () => void {
  const { host, api, session } = useServices();
  const { workbench, askToLeave } = useWorkspace();
  return () => {
    const loses = workbench.unsaved.length > 0 || hasDrafts(host.storage, session.getState().account);
    if (loses && askToLeave.current) askToLeave.current();
    else void leave(api, session);
  };
}

/** What signing out would take along, and the choice. */
export function LeaveDialog({ onClose }: { onClose: () => void }) {
  const { host, api, session } = useServices();
  const { workbench } = useWorkspace();
  const files = workbench.unsaved.map(({ name }) => name);
  const drafts = hasDrafts(host.storage, session.getState().account);
  return (
    <Dialog open onOpenChange={onClose} title="Sign out and forget what was not saved?">
      <DialogBody className="flex flex-col gap-3">
        <p>Nothing of yours stays in this browser. These exist here only:</p>
        <ul className="list-disc pl-5">
          {files.map((name) => (
            <li key={name} className="break-words">
              {name}, not saved to disk
            </li>
          ))}
          {drafts && <li>a question that was not sent</li>}
        </ul>
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>Stay signed in</Button>
          <Button
            variant="danger"
            onClick={() => {
              onClose();
              void leave(api, session);
            }}
          >
            Sign out and forget them
          </Button>
        </div>
      </DialogBody>
    </Dialog>
  );
}
