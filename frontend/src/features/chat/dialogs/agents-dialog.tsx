import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Bot, Plus } from "lucide-react";
import { useState } from "react";
import { useModelName } from "@/features/chat/models/models";
import { useApi, useSession } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { LoadFailed } from "@/shared/ui/load-failed";
import { EmptyState } from "@/shared/ui/notice";
import { Skeleton } from "@/shared/ui/skeleton";
import { AgentForm } from "./agent-form";
import { type Agent, type AgentDraft, agentsQuery, deleteAgent } from "./agents-api";

export interface AgentsDialogProps {
  /** What a new agent begins with: the chat's own model and instructions. */
  start: Pick<AgentDraft, "model" | "instructions">;
  onPick: (id: string) => void;
  onClose: () => void;
}

/** The user's agents: chat with one, make, change and delete them. */
export function AgentsDialog({ start, onPick, onClose }: AgentsDialogProps) {
  const [editing, setEditing] = useState<Agent | "new" | null>(null);
  const existing = editing === "new" ? null : editing;
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={editing === null ? "Your agents" : existing ? `Change “${existing.name}”` : "New agent"}
      description={
        editing === null ? "A name for a model with instructions of its own, ready to be asked again and again." : undefined
      }
    >
      <DialogBody>
        {editing === null ? (
          <AgentList onPick={onPick} onEdit={setEditing} />
        ) : (
          <AgentForm agent={existing} start={start} onCancel={() => setEditing(null)} onSaved={() => setEditing(null)} />
        )}
      </DialogBody>
    </Dialog>
  );
}

function AgentList({ onPick, onEdit }: { onPick: (id: string) => void; onEdit: (agent: Agent | "new") => void }) {
  const api = useApi();
  const { token } = useSession();
  const agents = useQuery(agentsQuery(api, token));
  const create = (
    <Button variant="primary" onClick={() => onEdit("new")}>
      <Plus aria-hidden /> New agent
    </Button>
  );
  if (agents.isPending) return <Skeleton className="h-16" />;
  if (agents.isError) return <LoadFailed what="Your agents" error={agents.error} onRetry={() => void agents.refetch()} />;
  if (agents.data.length === 0)
    return (
      <EmptyState icon={<Bot aria-hidden />} title="No agents yet" actions={create}>
        For example “Code reviewer”: Auto as its model, and “Name bugs first, then risks” as its instructions.
      </EmptyState>
    );
  return (
    <div className="flex flex-col gap-3">
      <ul className="flex flex-col gap-2">
        {agents.data.map((agent) => (
          <AgentRow key={agent.id} agent={agent} onPick={() => onPick(agent.id)} onEdit={() => onEdit(agent)} />
        ))}
      </ul>
      <div>{create}</div>
    </div>
  );
}

function AgentRow({ agent, onPick, onEdit }: { agent: Agent; onPick: () => void; onEdit: () => void }) {
  const api = useApi();
  const client = useQueryClient();
  const model = useModelName(agent.model);
  const [leaving, setLeaving] = useState(false);
  const remove = useMutation({
    mutationFn: () => deleteAgent(api, agent.id),
    onSuccess: () => client.invalidateQueries({ queryKey: ["agents"] }),
  });
  return (
    <li aria-label={agent.name} className="rounded border border-line px-3 py-2">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <div className="min-w-40 flex-1">
          <p className="font-medium break-words">{agent.name}</p>
          <p className="text-xs text-muted">
            {model} · version {agent.version}
          </p>
        </div>
        <span className="flex gap-1">
          <Button size="sm" aria-label={`Chat with ${agent.name}`} onClick={onPick}>
            Chat
          </Button>
          <Button size="sm" aria-label={`Change ${agent.name}`} onClick={onEdit}>
            Change
          </Button>
          <Button size="sm" variant="danger" aria-label={`Delete ${agent.name}`} onClick={() => setLeaving(true)}>
            Delete
          </Button>
        </span>
      </div>
      {agent.instructions && <p className="mt-1 line-clamp-2 text-xs break-words text-muted">{agent.instructions}</p>}
      {leaving && (
        <div role="alert" className="mt-2 flex flex-wrap items-center gap-2">
          <p className={remove.isError ? "text-danger" : ""}>
            {remove.isError ? remove.error.message : "Delete it with all its versions? Its chats stay."}
          </p>
          <Button size="sm" onClick={() => setLeaving(false)}>
            Keep it
          </Button>
          <Button size="sm" variant="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
            Delete for good
          </Button>
        </div>
      )}
    </li>
  );
}
