import { ArrowUp, ImagePlus, Square } from "lucide-react";
import {
  type ClipboardEvent,
  type DragEvent,
  type KeyboardEvent,
  type MouseEvent,
  useCallback,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { Button, IconButton } from "@/shared/ui/button";
import { AttachedImages } from "./attached-images";
import { readImages } from "./attachments";
import type { Chat } from "./chat";
import { useChat } from "./chats";
import { MissingKeyLine } from "./missing-key";
import type { ChatModel } from "./models";
import { SendingCost, useSendingCost } from "./sending-cost";
import { type Command, parseCommand, suggestCommands } from "./slash";
import { SlashMenu } from "./slash-menu";

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
  const [text, setText] = useState(() => chat.memory.read("draft", chat.getState().conversationId));
  const [images, setImages] = useState<string[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const [selected, setSelected] = useState(0);
  const area = useRef<HTMLTextAreaElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const listId = useId();
  const running = useChat(chat, (state) => state.run !== null);
  const returned = useChat(chat, (state) => state.returned);
  const suggestions = suggestCommands(text);
  const command = parseCommand(text);
  const cost = useSendingCost(chat, model, command ? "" : text, images);

  useEffect(() => {
    if (!returned) return;
    setText(returned.text);
    if (returned.images) setImages(returned.images);
    chat.draftTaken();
    area.current?.focus();
  }, [returned, chat]);

  // The send button goes away when it is used; a phone's keyboard does not come up unasked.
  const focus = useCallback(() => {
    if (matchMedia("(pointer: fine)").matches) area.current?.focus();
  }, []);
  useEffect(() => {
    if (focusAtOnce) focus();
  }, [focusAtOnce, focus]);

  const change = (next: string) => {
    setText(next);
    setSelected(0);
    chat.memory.write("draft", chat.getState().conversationId, next);
  };
  const submit = () => {
    if (command) {
      onCommand(command);
      return change("");
    }
    if (running || (!text.trim() && !images.length)) return;
    onSend(text.trim(), images);
    setText("");
    setImages([]);
    setProblem(null);
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
  const attach = async (files: readonly File[]) => {
    if (!model.takesImages)
      return setProblem(`${model.name} does not take images. Choose a model that does (/model vision).`);
    const picked = await readImages(files, images.length);
    setImages((before) => [...before, ...picked.images]);
    setProblem(picked.problem);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Safari ends the composition before it tells of the key that confirmed the word: only the old code 229 says so.
    if (event.nativeEvent.isComposing || event.nativeEvent.keyCode === 229) return;
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
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event: DragEvent) => {
        event.preventDefault();
        void attach([...event.dataTransfer.files]);
      }}
    >
      <div className="relative mx-auto flex w-full max-w-3xl flex-col gap-1.5">
        {suggestions.length > 0 && (
          <SlashMenu id={listId} names={suggestions} selected={selected} onPick={(name) => change(`/${name} `)} />
        )}
        <AttachedImages images={images} onRemove={(index) => setImages(images.filter((_, each) => each !== index))} />
        {problem && (
          <p role="alert" className="text-xs text-danger">
            {problem}
          </p>
        )}
        <div className="flex items-end gap-1 rounded-lg border border-input-line bg-input p-1 focus-within:outline-2 focus-within:outline-focus">
          <IconButton
            label="Attach images"
            aria-disabled={!model.takesImages}
            onClick={() => (model.takesImages ? file.current?.click() : void attach([]))}
          >
            <ImagePlus aria-hidden />
          </IconButton>
          <input
            ref={file}
            type="file"
            accept="image/png,image/jpeg,image/webp,image/gif"
            multiple
            hidden
            onChange={(event) => {
              void attach([...(event.target.files ?? [])]);
              event.target.value = "";
            }}
          />
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
              const files = [...event.clipboardData.files];
              // From a spreadsheet or a text processor the same comes as text and as a picture of it: the text is meant.
              if (files.length && !event.clipboardData.getData("text/plain")) void attach(files);
            }}
          />
          {running ? (
            <Button key="stop" variant="primary" aria-label="Stop the answer" title="Stop (Escape)" onClick={stopByClick}>
              <Square aria-hidden className="size-3 fill-current" /> Stop
            </Button>
          ) : (
            <Button
              key="send"
              variant="primary"
              type="submit"
              aria-disabled={!text.trim() && !images.length}
              title="Send (Enter)"
            >
              <ArrowUp aria-hidden /> {cost.shortfall ?? "Send"}
            </Button>
          )}
        </div>
        {model.available ? <SendingCost cost={cost} /> : <MissingKeyLine model={model} onPick={onPickModel} />}
      </div>
    </form>
  );
}
