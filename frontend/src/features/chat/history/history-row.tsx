import { Check, MoreHorizontal, Pin, X } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import type { ConversationChange, ConversationSummary } from "@/features/chat/talk/chat-api";
import { saveConversation } from "@/features/chat/talk/save";
import { useApi } from "@/shared/api/services";
import { cn } from "@/shared/lib/cn";
import { plainName } from "@/shared/lib/plain-name";
import { Button, IconButton } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { Input } from "@/shared/ui/input";
import { Menu, MenuItem, MenuSeparator } from "@/shared/ui/menu";
import { PageLink } from "@/shared/ui/page-link";

const OrganiseDialog = lazy(() =>
  import("@/features/chat/library/organise-dialog").then((module) => ({ default: module.OrganiseDialog })),
);

interface HistoryRowProps {
  conversation: ConversationSummary;
  current: boolean;
  onOpen: (id: string) => void;
  onChange: (id: string, fields: ConversationChange) => Promise<void>;
  onDelete: (id: string) => Promise<void>;
}

export function HistoryRow({ conversation, current, onOpen, onChange, onDelete }: HistoryRowProps) {
  const api = useApi();
  const [mode, setMode] = useState<"show" | "rename" | "organise" | "delete">("show");
  const { id, pinned } = conversation;
  const title = plainName(conversation.title ?? "") || "Untitled chat";
  if (mode === "rename") {
    return (
      <li className="px-1">
        <RenameForm
          title={title}
          onDone={(next) => {
            setMode("show");
            if (next && next !== title) void onChange(id, { title: next });
          }}
        />
      </li>
    );
  }
  return (
    <li
      className={cn(
        "group/row flex items-center rounded hover:bg-hover",
        current && "bg-active text-active-fg hover:bg-active",
      )}
    >
      <PageLink
        to={`/chat?chat=${encodeURIComponent(id)}`}
        aria-current={current ? "page" : undefined}
        title={title}
        className="min-w-0 flex-1 truncate px-2 py-1.5 pointer-coarse:py-3"
        onFollow={() => onOpen(id)}
      >
        {pinned && <Pin aria-hidden className="mr-1 inline size-3" />}
        {title}
        {conversation.tags?.map((tag) => (
          <span key={tag} className="ml-1 rounded border border-line px-1 text-xs text-muted">
            {tag}
          </span>
        ))}
      </PageLink>
      <Menu
        trigger={
          <IconButton size="sm" label={`Actions for ${title}`} className="text-inherit">
            <MoreHorizontal aria-hidden className="size-4" />
          </IconButton>
        }
      >
        <MenuItem onClick={() => setMode("rename")}>Rename</MenuItem>
        <MenuItem onClick={() => void onChange(id, { pinned: !pinned })}>{pinned ? "Unpin" : "Pin"}</MenuItem>
        <MenuItem onClick={() => setMode("organise")}>Folder and tags…</MenuItem>
        <MenuItem onClick={() => void saveConversation(api, id, title, "markdown")}>Save as Markdown</MenuItem>
        <MenuItem onClick={() => void saveConversation(api, id, title, "json")}>Save as JSON</MenuItem>
        <MenuSeparator />
        <MenuItem danger onClick={() => setMode("delete")}>
          Delete…
        </MenuItem>
      </Menu>
      {mode === "organise" && (
        <Suspense>
          <OrganiseDialog
            conversation={conversation}
            onSave={(labels) => onChange(id, labels)}
            onClose={() => setMode("show")}
          />
        </Suspense>
      )}
      {mode === "delete" && <DeleteDialog title={title} onClose={() => setMode("show")} onDelete={() => onDelete(id)} />}
    </li>
  );
}

function RenameForm({ title, onDone }: { title: string; onDone: (title: string | null) => void }) {
  const [draft, setDraft] = useState(title);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // The menu that led here gives the focus back to where it was, one frame after this.
    const frame = requestAnimationFrame(() => field.current?.select());
    return () => cancelAnimationFrame(frame);
  }, []);
  return (
    <form
      className="flex items-center gap-1 py-0.5"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(draft.trim());
      }}
    >
      <Input
        ref={field}
        aria-label="Title of the chat"
        maxLength={200}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onDone(null);
        }}
      />
      <IconButton size="sm" type="submit" label="Save the title">
        <Check aria-hidden className="size-4" />
      </IconButton>
      <IconButton size="sm" label="Keep the old title" onClick={() => onDone(null)}>
        <X aria-hidden className="size-4" />
      </IconButton>
    </form>
  );
}

function DeleteDialog({ title, onClose, onDelete }: { title: string; onClose: () => void; onDelete: () => Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  return (
    <Dialog open onOpenChange={onClose} title="Delete this chat?">
      <DialogBody className="flex flex-col gap-4">
        <p>“{title}” and all its answers are deleted for good. What they cost stays in your statement.</p>
        {failed && (
          <p role="alert" className="text-danger">
            It could not be deleted just now.
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep it</Button>
          <Button
            variant="danger"
            busy={busy}
            onClick={() => {
              setBusy(true);
              onDelete().then(onClose, () => {
                setBusy(false);
                setFailed(true);
              });
            }}
          >
            Delete
          </Button>
        </div>
      </DialogBody>
    </Dialog>
  );
}
