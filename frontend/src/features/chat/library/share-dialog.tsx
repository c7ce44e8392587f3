import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi, useHost } from "@/shared/api/services";
import { moment } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { CopyButton } from "@/shared/ui/copy-button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { Input } from "@/shared/ui/input";
import { endShare, makeShare, shareQuery } from "./library-api";

interface ShareDialogProps {
  conversationId: string;
  /** The last message in sight; null: the newest one. */
  leafId: string | null;
  onClose: () => void;
}

/** The link by which others read a chat: made, renewed and taken back here. */
export function ShareDialog({ conversationId, leafId, onClose }: ShareDialogProps) {
  const api = useApi();
  const host = useHost();
  const client = useQueryClient();
  const found = useQuery(shareQuery(api, conversationId));
  const settle = () => client.invalidateQueries({ queryKey: ["share", conversationId] });
  const make = useMutation({ mutationFn: () => makeShare(api, conversationId, leafId), onSettled: settle });
  const end = useMutation({ mutationFn: () => endShare(api, conversationId), onSettled: settle });
  const share = found.data?.share;
  const link = share ? `${host.apiBase || location.origin}${share.path}` : "";
  const problem = make.error ?? end.error ?? found.error;
  return (
    <Dialog open onOpenChange={onClose} title="Share this chat">
      <DialogBody className="flex flex-col gap-3">
        <p>
          Whoever has the link can read the questions and answers up to now, with the texts of attached files, without an
          account. Instructions, thinking, pictures, costs, your name and whatever comes later stay private.
        </p>
        {share && (
          <>
            <div className="flex items-center gap-2">
              <Input aria-label="Link" readOnly value={link} onFocus={({ target }) => target.select()} />
              <CopyButton text={link} what="link" />
            </div>
            <p className="text-muted">As the chat was on {moment(share.shared_at)}.</p>
          </>
        )}
        {problem && (
          <p role="alert" className="text-danger">
            {problem.message}
          </p>
        )}
        <div className="flex flex-wrap justify-end gap-2">
          {share && (
            <Button variant="danger" busy={end.isPending} onClick={() => end.mutate()}>
              Take the link back
            </Button>
          )}
          <Button variant="primary" busy={make.isPending || found.isLoading} onClick={() => make.mutate()}>
            {share ? "Share as it is now" : "Make a link"}
          </Button>
        </div>
      </DialogBody>
    </Dialog>
  );
}
