import { Pencil } from "lucide-react";
import { useRef, useState } from "react";
import type { Chat } from "@/features/chat/talk/chat";
import { isComposing } from "@/shared/lib/composing";
import { count } from "@/shared/lib/format";
import { Button, IconButton } from "@/shared/ui/button";
import { CopyButton } from "@/shared/ui/copy-button";
import { Textarea } from "@/shared/ui/input";
import { BranchSwitcher } from "./branch-switcher";
import type { MessageProps } from "./message-view";

export function QuestionView({ chat, message, siblings, busy, actions }: MessageProps) {
  // A question that is being rewritten stays so while its reader scrolls, looks at another page or reloads.
  const [editing, setEditing] = useState(() => keptEdit(chat, message.id) !== null);
  const editButton = useRef<HTMLButtonElement>(null);
  const close = () => {
    setEditing(false);
    requestAnimationFrame(() => editButton.current?.focus());
  };
  return (
    <article aria-label="Your message" className="group/message flex flex-col items-end gap-1">
      {editing ? (
        <EditForm
          text={keptEdit(chat, message.id) ?? message.content}
          onChange={(text) => keepEdit(chat, { id: message.id, text })}
          onLeave={close}
          onCancel={() => {
            keepEdit(chat, null);
            close();
          }}
          onSave={(text) => {
            keepEdit(chat, null);
            setEditing(false);
            actions.onEdit(message.id, text);
          }}
        />
      ) : (
        <div className="flex max-w-[85%] flex-col gap-2 rounded-lg bg-raised px-3 py-2 hc:border hc:border-contrast">
          {message.images.length > 0 && (
            <div className="flex flex-wrap gap-2">
              {message.images.map((image, index) => (
                <img
                  key={image.slice(-64)}
                  src={image}
                  alt={`Attached ${index + 1}`}
                  className="max-h-48 rounded border border-line"
                />
              ))}
            </div>
          )}
          <QuestionText text={message.content} />
        </div>
      )}
      {!editing && (
        <footer className="flex items-center gap-1">
          <BranchSwitcher {...siblings} what="message" onChoose={actions.onChoose} />
          <IconButton ref={editButton} size="sm" label="Edit message" disabled={busy} onClick={() => setEditing(true)}>
            <Pencil aria-hidden className="size-3.5" />
          </IconButton>
          <CopyButton text={message.content} what="message" iconOnly />
        </footer>
      )}
    </article>
  );
}

const FOLD_LINES = 40;
const FOLD_CHARACTERS = 4000;

/** A long paste is folded: it must not stand between the reader and the answer. */
function QuestionText({ text }: { text: string }) {
  const [whole, setWhole] = useState(false);
  const lines = text.split("\n");
  const long = lines.length > FOLD_LINES * 1.5 || text.length > FOLD_CHARACTERS * 1.5;
  const shown = whole || !long ? text : lines.slice(0, FOLD_LINES).join("\n").slice(0, FOLD_CHARACTERS);
  return (
    <>
      <p dir="auto" className="break-words whitespace-pre-wrap">
        {shown}
        {shown !== text && "…"}
      </p>
      {long && (
        <Button size="sm" variant="ghost" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? "Show less" : `Show all ${count(lines.length)} lines`}
        </Button>
      )}
    </>
  );
}

/** What `id` is being changed to; null while it is not. */
function keptEdit(chat: Chat, id: string): string | null {
  try {
    const kept: { id?: unknown; text?: unknown } = JSON.parse(
      chat.memory.read("edit", chat.getState().conversationId) || "{}",
    );
    return kept.id === id && typeof kept.text === "string" ? kept.text : null;
  } catch {
    return null;
  }
}

function keepEdit(chat: Chat, edit: { id: string; text: string } | null): void {
  chat.memory.write("edit", chat.getState().conversationId, edit ? JSON.stringify(edit) : "");
}

interface EditFormProps {
  text: string;
  onChange: (text: string) => void;
  onSave: (text: string) => void;
  /** Closes it; what was written is there again when it is opened. */
  onLeave: () => void;
  onCancel: () => void;
}

function EditForm({ text, onChange, onSave, onLeave, onCancel }: EditFormProps) {
  const [draft, setDraft] = useState(text);
  const save = () => {
    if (draft.trim()) onSave(draft.trim());
  };
  return (
    <form
      className="flex w-full flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <Textarea
        autoFocus
        aria-label="Edit message"
        rows={Math.min(12, draft.split("\n").length + 1)}
        value={draft}
        onChange={(event) => {
          setDraft(event.target.value);
          onChange(event.target.value);
        }}
        onKeyDown={(event) => {
          if (isComposing(event)) return;
          if (event.key === "Escape") onLeave();
          if (event.key === "Enter" && !event.shiftKey) {
            event.preventDefault();
            save();
          }
        }}
      />
      <div className="flex items-center justify-end gap-2">
        <span className="mr-auto text-xs text-muted">The old version stays: switch with ‹ ›.</span>
        <Button size="sm" onClick={onCancel}>
          Cancel
        </Button>
        <Button size="sm" variant="primary" type="submit">
          Send edited message
        </Button>
      </div>
    </form>
  );
}
