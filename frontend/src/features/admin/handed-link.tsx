import { moment } from "@/shared/lib/format";
import { CopyButton } from "@/shared/ui/copy-button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import type { LinkShown } from "./mail-api";

/** A link for somebody else, shown to the administrator who hands it on. */
export function HandedLink({ shown, onClose }: { shown: LinkShown; onClose: () => void }) {
  const link = new URL(shown.link, location.origin).href;
  return (
    <Dialog open onOpenChange={onClose} title="Hand this link on">
      <DialogBody>
        <p>
          Whoever opens it acts for the account. It works once, until {moment(shown.ends_at)}, and is not shown here again
          without your password.
        </p>
        <p className="rounded border border-line bg-raised p-2 font-mono break-all select-all">{link}</p>
        <CopyButton text={link} what="the link" />
      </DialogBody>
    </Dialog>
  );
}
