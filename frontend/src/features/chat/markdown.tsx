import { lazy, memo, Suspense, useRef } from "react";
import { type Block, type Blocks, blockSource, splitBlocks } from "./blocks";

const MarkdownBlock = lazy(() => import("./markdown-block"));

/** A model's Markdown, drawn block by block: while it grows only its last block is drawn again. */
export function Markdown({ text, live = false }: { text: string; live?: boolean }) {
  const previous = useRef<Blocks | undefined>(undefined);
  const blocks = splitBlocks(text, previous.current);
  previous.current = blocks;
  const last = blocks.items.length - 1;
  return (
    <div className="prose-chat">
      {blocks.items.map((block, index) => (
        <MemoBlock key={block.start} block={block} definitions={blocks.definitions} live={live && index === last} />
      ))}
    </div>
  );
}

const MemoBlock = memo(function MemoBlock({
  block,
  definitions,
  live,
}: {
  block: Block;
  definitions: string;
  live: boolean;
}) {
  return (
    <Suspense fallback={<p className="whitespace-pre-wrap">{block.text.trim()}</p>}>
      <MarkdownBlock text={blockSource(block, definitions)} live={live} />
    </Suspense>
  );
});
