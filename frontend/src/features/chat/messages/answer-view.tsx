import { ReceiptText, RotateCcw } from "lucide-react";
import { Markdown } from "@/features/chat/markdown/markdown";
import { splitThought } from "@/features/chat/markdown/thought";
import { useModelName } from "@/features/chat/models/models";
import { CutCard } from "@/features/chat/states/cut-card";
import { FallbackNote } from "@/features/chat/states/fallback-note";
import { ProblemCard } from "@/features/chat/states/problem-card";
import { Waiting } from "@/features/chat/states/waiting";
import { type ChatMessage, fromRun } from "@/features/chat/talk/chat-message";
import { useChat } from "@/features/chat/talk/chats";
import { messageFacts } from "@/features/chat/talk/message-facts";
import { providerName } from "@/shared/lib/names";
import { Thumbs } from "@/shared/receipt/thumbs";
import { IconButton } from "@/shared/ui/button";
import { CopyButton } from "@/shared/ui/copy-button";
import { BranchSwitcher } from "./branch-switcher";
import type { MessageProps } from "./message-view";

export function AnswerView(props: MessageProps) {
  const { chat, message: stored } = props;
  const run = useChat(chat, (state) => (state.run?.key === stored.key ? state.run.run : null));
  const told = run ? { ...stored, ...fromRun(run) } : stored;
  const { thought, answer } = splitThought(told.content);
  const message = thought
    ? { ...told, content: answer, reasoning: [told.reasoning, thought].filter(Boolean).join("\n") }
    : told;
  const name = useModelName(message.model);
  const running = message.status === "running";
  return (
    <article aria-label={`Answer by ${name}`} aria-busy={running} className="flex flex-col">
      <h3 className="mb-1 text-xs text-muted">
        <span className="font-medium text-fg">{name}</span>
        {message.provider && ` · ${providerName(message.provider)}`}
      </h3>
      {message.fallback && <FallbackNote fallback={message.fallback} />}
      {message.reasoning && <Reasoning text={message.reasoning} thinking={running && !message.content} />}
      {message.content && <Markdown text={message.content} live={running} />}
      {message.toolCalls?.map((call) => (
        <p
          key={call.id || call.index}
          className="my-1 rounded border border-line px-2 py-1 font-mono text-xs break-words text-muted"
        >
          {call.name}({call.arguments})
        </p>
      ))}
      {running && !message.content && !message.reasoning && <Waiting modelName={name} onStop={props.actions.onStop} />}
      <Ending {...props} message={message} modelName={name} />
      {!running && <AnswerFooter {...props} message={message} />}
    </article>
  );
}

/** How the answer ended, where it did not simply end. */
function Ending({ message, modelName, actions }: MessageProps & { modelName: string }) {
  if (message.status === "stopped") {
    return <p className="mt-1 text-xs text-muted">You stopped this answer{message.content ? "" : " before it began"}.</p>;
  }
  if (message.status === "cut") {
    return (
      <CutCard
        reason={message.failure?.message ?? "The connection to the model ended early."}
        cost={message.cost}
        onContinue={actions.onContinue}
        onRegenerate={() => actions.onRegenerate(message.id)}
      />
    );
  }
  if (message.status === "failed" && message.failure) {
    return (
      <ProblemCard
        error={message.failure}
        modelName={modelName}
        retried={message.retried ?? false}
        onRetry={(change) => actions.onRegenerate(message.id, change)}
        onPickModel={actions.onPickModel}
      />
    );
  }
  if (message.status === "failed")
    return <p className="text-muted">There is no answer here: it was interrupted. Ask again below.</p>;
  if (message.finishReason === "length")
    return <p className="mt-1 text-xs text-warning">The answer reached its length limit.</p>;
  return null;
}

function AnswerFooter({ message, siblings, busy, actions }: MessageProps) {
  const facts = messageFacts(message);
  const { requestId } = message;
  return (
    <footer className="mt-1 flex flex-wrap items-center gap-1 text-xs text-muted">
      <BranchSwitcher {...siblings} what="answer" onChoose={actions.onChoose} />
      {message.content && <CopyButton text={message.content} what="answer" iconOnly />}
      {message.status !== "failed" && (
        <IconButton size="sm" label="Answer again" disabled={busy} onClick={() => actions.onRegenerate(message.id)}>
          <RotateCcw aria-hidden className="size-3.5" />
        </IconButton>
      )}
      {requestId && (
        <IconButton
          size="sm"
          label="What happened (receipt)"
          data-tour="receipt"
          onClick={() => actions.onReceipt(requestId)}
        >
          <ReceiptText aria-hidden className="size-3.5" />
        </IconButton>
      )}
      {requestId && message.content && (
        <Thumbs requestId={requestId} onRefund={message.cost ? () => actions.onReceipt(requestId) : undefined} />
      )}
      {facts.length > 0 && <p className="ml-1 tabular-nums">{facts.join(" · ")}</p>}
    </footer>
  );
}

function Reasoning({ text, thinking }: { text: ChatMessage["reasoning"]; thinking: boolean }) {
  return (
    <details className="mb-2 rounded border border-line px-2 py-1 text-muted">
      <summary className="text-xs">{thinking ? "Thinking…" : "Thoughts"}</summary>
      <p className="mt-1 max-h-60 overflow-y-auto whitespace-pre-wrap">{text}</p>
    </details>
  );
}
