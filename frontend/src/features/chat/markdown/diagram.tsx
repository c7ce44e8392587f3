import { useEffect, useState, useSyncExternalStore } from "react";
import { useHost } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { CopyButton } from "@/shared/ui/copy-button";
import { CodeBlock } from "./code-block";
import { drawDiagram } from "./draw-diagram";

type Drawn = { svg: string } | { problem: string } | null;

/** A Mermaid diagram as an image, and its source on demand; what cannot be drawn is shown as its source, with the reason. */
export default function Diagram({ code }: { code: string }) {
  const { theme } = useHost();
  const dark = useSyncExternalStore(theme.subscribe, theme.current).endsWith("dark");
  const [drawn, setDrawn] = useState<Drawn>(null);
  const [asSource, setAsSource] = useState(false);
  useEffect(() => {
    let current = true;
    drawDiagram(code, dark).then(
      (svg) => current && setDrawn({ svg }),
      (error: Error) => current && setDrawn({ problem: error.message }),
    );
    return () => {
      current = false;
    };
  }, [code, dark]);

  if (!drawn || "problem" in drawn || asSource) {
    return (
      <CodeBlock
        code={code}
        language="mermaid"
        live={false}
        note={drawn && "problem" in drawn ? `Not drawn: ${drawn.problem}` : undefined}
        extra={
          asSource && (
            <Button variant="ghost" size="sm" onClick={() => setAsSource(false)}>
              Diagram
            </Button>
          )
        }
      />
    );
  }
  return (
    <figure className="my-2 overflow-hidden rounded-md border border-line bg-code">
      <figcaption className="flex items-center gap-1 border-b border-line py-0.5 pr-1 pl-3 text-xs text-muted">
        <span className="mr-auto">Diagram</span>
        <Button variant="ghost" size="sm" onClick={() => setAsSource(true)}>
          Source
        </Button>
        <CopyButton text={code} what="diagram's source" />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard. */}
      <section aria-label="Diagram" tabIndex={0} className="max-h-[70vh] overflow-auto p-3">
        {/* Not narrower than it is: a wide diagram scrolls and stays legible. */}
        <img src={asAddress(drawn.svg)} alt={`Diagram: ${nameOf(code)}`} className="mx-auto max-w-none" />
      </section>
    </figure>
  );
}

/** As an image it runs nothing and fetches nothing, whatever it says. */
const asAddress = (svg: string) => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;

/** What the diagram calls itself, or what kind it is; its source is one press away. */
function nameOf(code: string): string {
  const own = /^\s*(?:accTitle:|title:?)\s*(.+)$/m.exec(code)?.[1];
  const kind = code
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line && !/^(%%|---|\w+:)/.test(line));
  return (own ?? kind ?? "").slice(0, 120);
}
