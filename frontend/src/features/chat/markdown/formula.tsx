import { useEffect, useRef, useState } from "react";

/** A formula, as MathML that KaTeX builds by DOM: no style sheet, no font, nothing that the page's policy forbids. */
export function Formula({ tex, display }: { tex: string; display: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  const [drawn, setDrawn] = useState("");
  useEffect(() => {
    let current = true;
    const draw = async () => {
      const { default: katex } = await import("katex");
      if (!current || !place.current) return;
      katex.render(tex, place.current, {
        displayMode: display,
        output: "mathml",
        trust: false,
        maxExpand: 200,
        maxSize: 20,
      });
      setDrawn(tex);
    };
    draw().catch(() => {
      // Half a formula while it is being written, or none: what was written stays readable.
      if (current) setDrawn("");
    });
    return () => {
      current = false;
    };
  }, [tex, display]);
  const Tag = display ? "div" : "span";
  return (
    <Tag className={display ? "my-2 overflow-x-auto" : undefined}>
      <span ref={place} hidden={drawn !== tex} />
      {drawn !== tex && <code>{tex}</code>}
    </Tag>
  );
}
