import { MessageSquare } from "lucide-react";
import { AUTO, type ChatModel } from "@/features/chat/models/models";
import { Button } from "@/shared/ui/button";
import { EmptyState } from "@/shared/ui/notice";

const STARTERS = [
  "Explain what a race condition is, with a short Python example.",
  "Write a function that parses ISO 8601 durations, with tests.",
  "Review this code for bugs: for i in range(len(xs)): if xs[i] = 0: del xs[i]",
];

/** A chat with nothing in it: what it is for, and a first step. */
export function EmptyChat({
  model,
  temporary,
  onStart,
}: {
  model: ChatModel;
  temporary: boolean;
  onStart: (text: string) => void;
}) {
  const auto = model.id === AUTO.id;
  return (
    <EmptyState
      icon={<MessageSquare aria-hidden />}
      title={temporary ? "Temporary chat" : auto ? "Ask anything" : `Ask ${model.name}`}
      actions={STARTERS.map((text) => (
        <Button
          key={text}
          className="h-auto w-full justify-start py-2 text-left whitespace-normal"
          onClick={() => onStart(text)}
        >
          {text}
        </Button>
      ))}
    >
      {temporary
        ? "The server keeps nothing of it: no history, no title. It is gone when you close the page."
        : (auto ? "Q Assistant picks a model for each question, or choose one above. " : "") +
          "You see what an answer costs before you send, and what it did cost below it."}
    </EmptyState>
  );
}
