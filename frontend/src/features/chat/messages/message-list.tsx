import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import { type ReactNode, type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Chat } from "@/features/chat/talk/chat";
import type { ChatMessage } from "@/features/chat/talk/chat-message";
import { useChat } from "@/features/chat/talk/chats";
import { activePath, siblings } from "@/features/chat/talk/tree";
import { Button } from "@/shared/ui/button";
import { Announcer } from "./announcer";
import { type MessageActions, MessageView } from "./message-view";

/** Up to here every message is in the page (find-in-page works); beyond, only those near the view. */
const VIRTUAL_FROM = 40;
const GUESS_PX = 180;
const NEAR_END_PX = 48;

/** The conversation. It follows a growing answer as long as the reader is at its end. */
export function MessageList({ chat, actions }: { chat: Chat; actions: MessageActions }) {
  const tree = useChat(chat, (state) => state.tree);
  const busy = useChat(chat, (state) => state.run !== null);
  const path = useMemo(() => activePath(tree), [tree]);
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const { atEnd, toEnd } = useStickyEnd(scroller, content);
  const last = path.at(-1)?.key;

  useLayoutEffect(() => {
    if (last) toEnd();
  }, [last, toEnd]);

  const row = (message: ChatMessage) => (
    <div className="pb-6">
      <MessageView chat={chat} message={message} siblings={siblings(tree, message.id)} busy={busy} actions={actions} />
    </div>
  );
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        role="log"
        aria-label="Conversation"
        aria-busy={busy}
        aria-live="polite"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard.
        tabIndex={0}
        className="h-full overflow-y-auto overscroll-contain outline-offset-[-2px]"
      >
        {/* Only the announcer speaks: what stands here changes with every token. */}
        <div ref={content} aria-live="off" className="mx-auto w-full max-w-3xl px-4 py-4">
          {path.length > VIRTUAL_FROM ? (
            <VirtualRows path={path} scroller={scroller} row={row} />
          ) : (
            <ol>
              {path.map((message) => (
                <li key={message.key}>{row(message)}</li>
              ))}
            </ol>
          )}
        </div>
        <Announcer chat={chat} />
      </div>
      {!atEnd && (
        <Button size="sm" className="absolute bottom-3 left-1/2 -translate-x-1/2 shadow-widget" onClick={toEnd}>
          <ArrowDown aria-hidden /> Latest
        </Button>
      )}
    </div>
  );
}

function VirtualRows(props: {
  path: ChatMessage[];
  scroller: RefObject<HTMLDivElement | null>;
  row: (message: ChatMessage) => ReactNode;
}) {
  const { path, scroller, row } = props;
  const virtualizer = useVirtualizer({
    count: path.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => GUESS_PX,
    getItemKey: (index) => path[index]?.key ?? index,
    overscan: 3,
    initialOffset: () => path.length * GUESS_PX,
  });
  const items = virtualizer.getVirtualItems();
  return (
    <div className="relative" style={{ height: virtualizer.getTotalSize() }}>
      <ol className="absolute inset-x-0 top-0 flex flex-col" style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
        {items.map(({ index, key }) => {
          const message = path[index];
          if (!message) return null;
          return (
            <li
              key={key}
              data-index={index}
              ref={virtualizer.measureElement}
              aria-setsize={path.length}
              aria-posinset={index + 1}
            >
              {row(message)}
            </li>
          );
        })}
      </ol>
    </div>
  );
}

/** Keeps the end in view while the content grows, unless the reader has scrolled away. */
function useStickyEnd(scroller: RefObject<HTMLDivElement | null>, content: RefObject<HTMLDivElement | null>) {
  const [atEnd, setAtEnd] = useState(true);
  const follows = useRef(true);
  const toEnd = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    follows.current = true;
    setAtEnd(true);
    element.scrollTop = element.scrollHeight;
  }, [scroller]);
  useEffect(() => {
    const element = scroller.current;
    if (!element || !content.current) return;
    let height = element.scrollHeight;
    const onScroll = () => {
      const near = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
      // Content that grew also moves the end away: only the reader's own scrolling lets go of it.
      if (near || element.scrollHeight === height) {
        follows.current = near;
        setAtEnd(near);
      }
      height = element.scrollHeight;
    };
    const observer = new ResizeObserver(() => {
      if (follows.current) element.scrollTop = element.scrollHeight;
      else setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX);
      height = element.scrollHeight;
    });
    observer.observe(content.current);
    observer.observe(element);
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", onScroll);
    };
  }, [scroller, content]);
  return { atEnd, toEnd };
}
