import { ArrowUp, Square } from "lucide-react";
import {
  type ClipboardEvent,
  type KeyboardEvent,
  type MouseEvent,
  useCallback,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import type { ChatModel } from "@/features/chat/models/models";
import type { Chat } from "@/features/chat/talk/chat";
import { useChat } from "@/features/chat/talk/chats";
import { isComposing } from "@/shared/lib/composing";
import { Button } from "@/shared/ui/button";
import { AttachButton } from "./attach-button";
import { AttachedFiles } from "./attached-files";
import { AttachedImages } from "./attached-images";
import { usePicturesWords } from "./file-cost";
import { MissingKeyLine } from "./missing-key";
import { SendingCost, useSendingCost } from "./sending-cost";
import { type Command, parseCommand, suggestCommands } from "./slash";
import { SlashMenu } from "./slash-menu";
import { isLong } from "./text-files";
import { useDraft } from "./use-draft";
import { useDrops } from "./use-drops";
import { useLongInsert } from "./use-long-insert";

export interface ComposerProps {
  focusAtOnce: boolean;
  chat: Chat;
  model: ChatModel;
  onSend: (text: string, images: string[]) => void;
  onCommand: (command: Command) => void;
  onPickModel: (id: string) => void;
}

/** Where a question is written. Its draft lies on this device until the server has it. */
export function Composer({ focusAtOnce, chat, model, onSend, onCommand, onPickModel }: ComposerProps) {
  const [selected, setSelected] = useState(0);
  const area = useRef<HTMLTextAreaElement>(null);
  const listId = useId();
  const running = useChat(chat, (state) => state.run !== null);
  const draft = useDraft(chat, model, area);
  const { text, files, images, problem, attach } = draft;
  const suggestions = suggestCommands(text);
  const command = parseCommand(text);
  const pictures = usePicturesWords(model, images);
  const cost = useSendingCost(chat, model, command ? "" : draft.whole(), images);

  // The send button goes away when it is used; a phone's keyboard does not come up unasked.
  const focus = useCallback(() => {
    if (matchMedia("(pointer: fine)").matches) area.current?.focus();
  }, []);
  useEffect(() => {
    if (focusAtOnce) focus();
  }, [focusAtOnce, focus]);

  useDrops((given) => void attach(given));
  useLongInsert(area, (file) => draft.changeFiles([...files, file]));

  const change = (next: string) => {
    setSelected(0);
    draft.change(next);
  };
  const submit = () => {
    if (command) {
      onCommand(command);
      return change("");
    }
    if (running || draft.empty) return;
    onSend(draft.whole(), images);
    draft.sent();
    focus();
  };
  const stop = () => {
    chat.stop();
    focus();
  };
  // The button under the pointer becomes Stop while the second half of a double click is still to come.
  const stopByClick = (event: MouseEvent) => {
    if (event.detail < 2) stop();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (suggestions.length > 0 && ["ArrowDown", "ArrowUp", "Tab"].includes(event.key)) {
      event.preventDefault();
      if (event.key === "Tab") change(`/${suggestions[selected] ?? suggestions[0]} `);
      else setSelected((selected + (event.key === "ArrowDown" ? 1 : -1) + suggestions.length) % suggestions.length);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      const name = suggestions[selected];
      if (name && !command) change(`/${name} `);
      else submit();
    } else if (event.key === "Escape" && running) stop();
  };

  return (
    <form
      aria-label="Message"
      className="border-t border-line bg-editor px-3 pt-2 pb-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="relative mx-auto flex w-full max-w-3xl flex-col gap-1.5">
        {suggestions.length > 0 && (
          <SlashMenu id={listId} names={suggestions} selected={selected} onPick={(name) => change(`/${name} `)} />
        )}
        <AttachedImages images={images} words={pictures} onRemove={draft.removeImage} />
        <AttachedFiles
          files={files}
          inputPrice={model.inputPrice}
          onRemove={(index) => draft.changeFiles(files.filter((_, each) => each !== index))}
        />
        {draft.reading && (
          <p role="status" className="truncate text-xs text-muted">
            Reading {draft.reading}…
          </p>
        )}
        {problem && (
          <p role="alert" className="text-xs text-danger">
            {problem}
          </p>
        )}
        <div className="flex items-end gap-1 rounded-lg border border-input-line bg-input p-1 focus-within:outline-2 focus-within:outline-focus">
          <AttachButton onFiles={(given) => void attach(given)} />
          <textarea
            ref={area}
            rows={1}
            dir="auto"
            value={text}
            aria-label={`Message ${model.name}`}
            enterKeyHint="send"
            placeholder="Ask, or / for commands"
            aria-autocomplete="list"
            aria-controls={suggestions.length > 0 ? listId : undefined}
            aria-activedescendant={suggestions.length > 0 ? `${listId}-${selected}` : undefined}
            className="field-sizing-content max-h-48 min-h-8 flex-1 resize-none bg-transparent px-1 py-1.5 text-sm text-input-fg outline-none pointer-coarse:py-2.5 pointer-coarse:text-[16px]"
            onChange={(event) => change(event.target.value)}
            onKeyDown={onKeyDown}
            onPaste={(event: ClipboardEvent) => {
              const pasted = event.clipboardData.getData("text/plain");
              // From a spreadsheet or a text processor the same comes as text and as a picture of it: the text is meant.
              if (!pasted) return void attach([...event.clipboardData.files]);
              if (!isLong(pasted)) return;
              event.preventDefault();
              draft.changeFiles([...files, { name: "Pasted text", text: pasted }]);
            }}
          />
          {running ? (
            <Button key="stop" variant="primary" aria-label="Stop the answer" title="Stop (Escape)" onClick={stopByClick}>
              <Square aria-hidden className="size-3 fill-current" /> Stop
            </Button>
          ) : (
            <Button key="send" variant="primary" type="submit" aria-disabled={draft.empty} title="Send (Enter)">
              <ArrowUp aria-hidden /> {cost.shortfall ?? "Send"}
            </Button>
          )}
        </div>
        {model.available ? <SendingCost cost={cost} /> : <MissingKeyLine model={model} onPick={onPickModel} />}
      </div>
    </form>
  );
}
