import { MessageSquare, ReceiptText, RotateCcw, Square } from "lucide-react";
import type { Ref, UIEventHandler } from "react";
import { Markdown } from "@/features/chat/markdown/markdown";
import { useModelName } from "@/features/chat/models/models";
import { messageFacts } from "@/features/chat/talk/message-facts";
import { providerName } from "@/shared/lib/names";
import { Thumbs } from "@/shared/receipt/thumbs";
import { IconButton } from "@/shared/ui/button";
import { CopyButton } from "@/shared/ui/copy-button";
import type { ComparedAnswer, Side } from "./compare-api";
import { soFar } from "./so-far";
import { type Live, useSide } from "./use-side";

export interface ColumnActions {
  onEnd: () => void;
  onStop: (runId: string) => void;
  onRetry: (side: Side) => void;
  onContinue: (side: Side) => void;
  onReceipt: (requestId: string) => void;
}

interface ColumnProps {
  answer: ComparedAnswer;
  /** Whose answer it is has not been told yet. */
  veiled: boolean;
  /** What a million output tokens cost, dollars; null = not known. */
  outputPrice: number | null;
  /** When this page asked, ms of `performance.now()`; null = it did not. */
  askedAt: number | null;
  won: boolean;
  retriable: boolean;
  actions: ColumnActions;
  scroller?: Ref<HTMLDivElement>;
  onScroll?: UIEventHandler<HTMLDivElement>;
}

export const letter = (side: Side): string => side.toUpperCase();

/** How a side is called: by its letter while it is veiled, else by its model's or agent's name too. */
export function useSideName(answer: ComparedAnswer): string {
  const name = useModelName(answer.asked ?? answer.model);
  return answer.model ? `${letter(answer.side)} · ${name}` : `Answer ${letter(answer.side)}`;
}

/** One answer beside others: live, with its figures, its ending and what can be done with it. */
export function Column({ answer, veiled, outputPrice, askedAt, won, retriable, actions, scroller, onScroll }: ColumnProps) {
  const live = useSide(answer, actions.onEnd);
  const run = live?.run;
  const running = answer.status === "running";
  const name = useSideName(answer);
  const text = running ? (run?.text ?? "") : answer.content;
  return (
    <article aria-label={name} aria-busy={running} className="flex h-full min-h-0 min-w-0 flex-col">
      <header className="flex items-center gap-2 border-b border-line px-3 py-1.5">
        <h3 className="min-w-0 flex-1 truncate text-sm font-medium">
          {name}
          {answer.provider && <span className="font-normal text-muted"> · {providerName(answer.provider)}</span>}
          {won && <span className="text-success"> · your choice</span>}
        </h3>
        {running && (
          <IconButton size="sm" label={`Stop ${name}`} onClick={() => actions.onStop(answer.run_id)}>
            <Square aria-hidden className="size-3! fill-current" />
          </IconButton>
        )}
        {!running && retriable && (
          <IconButton size="sm" label={`Ask ${name} again`} onClick={() => actions.onRetry(answer.side)}>
            <RotateCcw aria-hidden className="size-3.5!" />
          </IconButton>
        )}
      </header>
      <section
        ref={scroller}
        onScroll={onScroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        tabIndex={0}
        aria-label={`Text of ${name}`}
        className="min-h-0 flex-1 overflow-y-auto px-3 py-2 outline-offset-[-2px]"
      >
        {!veiled && run?.reasoning && running && !text && <p className="text-muted">Thinking…</p>}
        {text && <Markdown text={text} live={running} />}
        {running && !text && <p className="text-muted">Waiting for the first word…</p>}
        {!running && <Ending answer={answer} />}
      </section>
      <Footer answer={answer} live={live} veiled={veiled} outputPrice={outputPrice} askedAt={askedAt} actions={actions} />
    </article>
  );
}

function Ending({ answer }: { answer: ComparedAnswer }) {
  if (answer.status === "failed") {
    return (
      <p role="alert" className="text-danger">
        {answer.error?.error ?? "There is no answer: it failed or was stopped before it began."}
      </p>
    );
  }
  if (answer.status === "partial") {
    return (
      <p className="mt-1 text-xs text-warning">This answer ended early{answer.error?.error && `: ${answer.error.error}`}.</p>
    );
  }
  if (answer.finish_reason === "length") return <p className="mt-1 text-xs text-warning">It reached its length limit.</p>;
  return null;
}

type FooterProps = Pick<ColumnProps, "answer" | "veiled" | "outputPrice" | "askedAt" | "actions"> & { live: Live | null };

function Footer({ answer, live, veiled, outputPrice, askedAt, actions }: FooterProps) {
  const running = answer.status === "running";
  const { request_id: requestId } = answer;
  const name = useSideName(answer);
  const facts = veiled
    ? []
    : running
      ? soFar(live, outputPrice, askedAt, performance.now())
      : messageFacts({
          usage: answer.usage ?? undefined,
          cost: answer.cost,
          timings: answer.timings?.first_token_ms ? answer.timings : undefined,
        });
  return (
    <footer className="flex min-h-9 flex-wrap items-center gap-1 border-t border-line px-2 py-1 text-xs text-muted">
      {!running && answer.content && <CopyButton text={answer.content} what={name} iconOnly />}
      {!running && requestId && (
        <IconButton size="sm" label={`What happened with ${name} (receipt)`} onClick={() => actions.onReceipt(requestId)}>
          <ReceiptText aria-hidden className="size-3.5!" />
        </IconButton>
      )}
      {answer.model && (running || answer.timings) && !requestId && /^ag(ent\/|t_)/.test(answer.asked ?? "") && (
        <a href={`/runs?run=${answer.run_id}`} className="px-1 text-link underline">
          Its steps
        </a>
      )}
      {!running && requestId && answer.content && (
        <Thumbs requestId={requestId} onRefund={answer.cost ? () => actions.onReceipt(requestId) : undefined} />
      )}
      {!running && answer.model && answer.content && (
        <IconButton size="sm" label={`Continue with ${name}`} onClick={() => actions.onContinue(answer.side)}>
          <MessageSquare aria-hidden className="size-3.5!" />
        </IconButton>
      )}
      <p className="tabular-nums">{facts.join(" · ")}</p>
    </footer>
  );
}
