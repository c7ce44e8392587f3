import { useState } from "react";
import type { Chat } from "@/features/chat/talk/chat";
import { useChat } from "@/features/chat/talk/chats";
import { totals } from "@/features/chat/talk/message-facts";
import { activePath } from "@/features/chat/talk/tree";
import { answers, money, tokens } from "@/shared/lib/format";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { FormDialog } from "@/shared/ui/form-dialog";
import { Field, Textarea } from "@/shared/ui/input";

/** Instructions that hold for the whole chat (the system prompt). */
export function SystemDialog({ chat, onClose }: { chat: Chat; onClose: () => void }) {
  const [draft, setDraft] = useState(chat.getState().system);
  return (
    <FormDialog
      title="Instructions for this chat"
      onClose={onClose}
      onSubmit={() => {
        chat.setSystem(draft.trim());
        onClose();
      }}
    >
      <Field
        label="Every answer follows these"
        hint="They go along with each question, so they cost input tokens each time."
      >
        {(control) => <Textarea {...control} rows={6} value={draft} onChange={(event) => setDraft(event.target.value)} />}
      </Field>
    </FormDialog>
  );
}

export function CostDialog({ chat, onClose }: { chat: Chat; onClose: () => void }) {
  const tree = useChat(chat, (state) => state.tree);
  const shown = totals(activePath(tree));
  const all = totals([...tree.nodes.values()]);
  return (
    <Dialog open onOpenChange={onClose} title="Cost of this chat">
      <DialogBody>
        <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1 tabular-nums">
          <dt className="text-muted">This branch</dt>
          <dd>
            {money(shown.cost)} · {answers(shown.answers)} · {tokens(shown.input)} tokens in, {tokens(shown.output)} out
          </dd>
          <dt className="text-muted">All branches</dt>
          <dd>
            {money(all.cost)} · {answers(all.answers)}
          </dd>
        </dl>
      </DialogBody>
    </Dialog>
  );
}
