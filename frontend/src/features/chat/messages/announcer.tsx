import { useEffect, useRef, useState } from "react";
import type { Chat } from "@/features/chat/talk/chat";
import { useChat } from "@/features/chat/talk/chats";
import { completionWords } from "@/features/chat/talk/message-facts";
import { activePath } from "@/features/chat/talk/tree";
import { takeSentences } from "./announce";

const PAUSE_MS = 1500;

/** Reads a growing answer out in whole sentences, a few at a time, and says how it ended; never token by token. */
export function Announcer({ chat }: { chat: Chat }) {
  const running = useChat(chat, (state) => state.run?.key ?? null);
  const [said, setSaid] = useState<{ number: number; text: string }[]>([]);
  const taken = useRef(0);
  const before = useRef<string | null>(null);

  useEffect(() => {
    const say = (text: string) => {
      if (text) setSaid((lines) => [...lines.slice(-3), { number: (lines.at(-1)?.number ?? 0) + 1, text }]);
    };
    if (!running) {
      const last = activePath(chat.getState().tree).at(-1);
      if (before.current && last?.key === before.current) {
        const rest = last.status === "complete" ? takeSentences(last.content, taken.current, true).text : "";
        say([rest, completionWords(last)].filter(Boolean).join(" "));
      }
      before.current = null;
      return;
    }
    before.current = running;
    taken.current = 0;
    const timer = setInterval(() => {
      const next = takeSentences(chat.getState().run?.run.text ?? "", taken.current, false);
      taken.current = next.taken;
      say(next.text);
    }, PAUSE_MS);
    return () => clearInterval(timer);
  }, [chat, running]);

  return (
    <div className="sr-only" aria-live="polite" aria-relevant="additions">
      {said.map(({ number, text }) => (
        <p key={number}>{text}</p>
      ))}
    </div>
  );
}
