import { type ComponentType, lazy, memo, Suspense, useRef } from "react";
import { type Block, type Blocks, blockSource, splitBlocks } from "./blocks";

type Renderer = ComponentType<{ text: string; live: boolean }>;

const load = () => import("./markdown-block");
const Later = lazy(load);
let ready: Renderer | null = null;

/** Fetches the renderer before the first answer needs it, so that no answer flashes up as raw Markdown. */
export async function preloadMarkdown(): Promise<void> {
  ready = (await load()).default;
}

/** A model's Markdown, drawn block by block: while it grows only its last block is drawn again. */
export function Markdown({ text, live = false }: { text: string; live?: boolean }) {
  const previous = useRef<Blocks | undefined>(undefined);
  const blocks = splitBlocks(text, previous.current);
  previous.current = blocks;
  const last = blocks.items.length - 1;
  return (
    <div className="prose-chat">
      <Suspense fallback={<p className="whitespace-pre-wrap">{text}</p>}>
        {blocks.items.map((block, index) => (
          <MemoBlock key={block.start} block={block} definitions={blocks.definitions} live={live && index === last} />
        ))}
      </Suspense>
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
  // A renderer that is there already is used at once; `lazy` would show its fallback for a moment all the same.
  const Draw = ready ?? Later;
  return <Draw text={blockSource(block, definitions)} live={live} />;
});
