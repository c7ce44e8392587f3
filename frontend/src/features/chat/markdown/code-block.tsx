import { memo, type ReactNode, useEffect, useState } from "react";
import { useHost } from "@/shared/api/services";
import { cn } from "@/shared/lib/cn";
import { Button } from "@/shared/ui/button";
import { CopyButton } from "@/shared/ui/copy-button";
import { type CodeLine, grammarFor, highlight } from "./highlight";

interface CodeBlockProps {
  code: string;
  language: string;
  live: boolean;
  /** A word on the code, below its head. */
  note?: string;
  /** More buttons for its head. */
  extra?: ReactNode;
}

/** A fenced block. While it is being written (`live`) it stays plain, since its colours would change with every token. */
export function CodeBlock({ code, language, live, note, extra }: CodeBlockProps) {
  const host = useHost();
  const [wrap, setWrap] = useState(false);
  const batches = useHighlighted(code, live ? null : grammarFor(language));
  const name = language || "text";
  return (
    <figure className="group/code my-2 overflow-hidden rounded-md border border-line bg-code">
      <figcaption className="flex flex-wrap items-center gap-1 border-b border-line py-0.5 pr-1 pl-3 text-xs text-muted">
        <span className="mr-auto">{name}</span>
        <Button
          variant="ghost"
          size="sm"
          aria-pressed={wrap}
          onClick={() => setWrap(!wrap)}
          className="aria-pressed:bg-hover"
        >
          Wrap
        </Button>
        {host.proposeEdit && (
          <Button variant="ghost" size="sm" onClick={() => host.proposeEdit?.(code)}>
            Diff
          </Button>
        )}
        {host.insertAtCursor && (
          <Button variant="ghost" size="sm" onClick={() => host.insertAtCursor?.(code)}>
            Insert at cursor
          </Button>
        )}
        {extra}
        <CopyButton text={code} what={`${name} code`} />
      </figcaption>
      {note && <p className="border-b border-line px-3 py-1 text-xs whitespace-pre-wrap text-warning">{note}</p>}
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard.
        tabIndex={0}
        className={cn(
          "m-0 overflow-x-auto p-3 font-mono text-[0.9em] leading-normal",
          wrap && "break-words whitespace-pre-wrap",
        )}
      >
        <code>{batches ? batches.map((lines) => <Lines key={lines[0]?.number} lines={lines} />) : code}</code>
      </pre>
    </figure>
  );
}

/** A batch never changes once it is there, so a long block is not drawn again for each further batch. */
const Lines = memo(function Lines({ lines }: { lines: CodeLine[] }) {
  return lines.map(({ number, tokens }) => (
    <span key={number}>
      {tokens.map((token) => (
        <span key={token.column} style={{ color: token.color }}>
          {token.content}
        </span>
      ))}
      {"\n"}
    </span>
  ));
});

/** Null until the whole code is coloured, so that it never stands half plain and half coloured. */
function useHighlighted(code: string, grammar: string | null): CodeLine[][] | null {
  const [coloured, setColoured] = useState<{ code: string; batches: CodeLine[][] } | null>(null);
  useEffect(() => {
    if (!grammar) return;
    const controller = new AbortController();
    const run = async () => {
      const batches: CodeLine[][] = [];
      for await (const batch of highlight(code, grammar, controller.signal)) batches.push(batch);
      if (!controller.signal.aborted) setColoured({ code, batches });
    };
    run().catch(() => {
      // Colour is an ornament: where a grammar does not load, the code stays readable without it.
    });
    return () => controller.abort();
  }, [code, grammar]);
  return grammar && coloured?.code === code ? coloured.batches : null;
}
