import { type RefObject, useCallback, useEffect, useEffectEvent, useRef, useState } from "react";
import type { ChatModel } from "@/features/chat/models/models";
import type { Chat } from "@/features/chat/talk/chat";
import { extractDocument } from "@/features/chat/talk/chat-api";
import { useChat } from "@/features/chat/talk/chats";
import { useApi } from "@/shared/api/services";
import { readImages } from "./attachments";
import { foldInserted, foldLong, parseFiles, readTextFile, type TextFile, withFiles } from "./text-files";

/** What is being written: its text and files lie on this device until the server has them, its images in memory. */
export function useDraft(chat: Chat, model: ChatModel, area: RefObject<HTMLTextAreaElement | null>) {
  const id = () => chat.getState().conversationId;
  // What is given back is folded when it is taken, below; the draft is the same text.
  const [kept] = useState(() =>
    chat.getState().returned ? { text: "", files: [] } : foldLong(chat.memory.read("draft", id())),
  );
  const [text, setText] = useState(kept.text);
  const [files, setFiles] = useState(() => [...parseFiles(chat.memory.read("files", id())), ...kept.files]);
  const [images, setImages] = useState<readonly string[]>(chat.memory.images);
  const [problem, setProblem] = useState<string | null>(null);
  const [reading, setReading] = useState<string | null>(null);
  const api = useApi();
  const latest = useRef(files);
  const returned = useChat(chat, (state) => state.returned);
  const take = useEffectEvent((given: string) => put(foldLong(given)));
  const keepFolded = useEffectEvent(() => {
    // Or the next time it would be folded, and sent, once more.
    chat.memory.write("draft", id(), kept.text);
    changeFiles(latest.current);
  });
  useEffect(() => {
    if (kept.files.length) keepFolded();
  }, [kept]);

  const changeImages = useCallback(
    (next: string[]) => {
      setImages(next);
      chat.memory.keepImages(chat.getState().conversationId, next);
    },
    [chat],
  );
  useEffect(() => {
    let current = true;
    void chat.memory.keptImages(chat.getState().conversationId).then((kept) => {
      if (current && kept.length && chat.memory.images.length === 0) changeImages(kept);
    });
    return () => {
      current = false;
    };
  }, [chat, changeImages]);
  useEffect(() => {
    if (!returned) return;
    take(returned.text);
    if (returned.images) changeImages(returned.images);
    chat.draftTaken();
    area.current?.focus();
  }, [returned, chat, area, changeImages]);
  // Whoever deleted the chat in another tab did not delete what is being written here.
  const gone = useChat(chat, (state) => state.loadError?.status === 404);
  const keep = useEffectEvent(() => {
    change(text);
    changeFiles(latest.current);
    if (chat.memory.images.length) changeImages([...chat.memory.images]);
  });
  useEffect(() => {
    if (gone) keep();
  }, [gone]);

  const put = (next: { text: string; files: TextFile[] }) => {
    setText(next.text);
    chat.memory.write("draft", id(), next.text);
    if (next.files.length) changeFiles([...latest.current, ...next.files]);
  };
  const change = (next: string) => put(foldInserted(text, next));
  const changeFiles = (next: TextFile[]) => {
    latest.current = next;
    setFiles(next);
    chat.memory.writeFiles(id(), next);
  };
  return {
    text,
    files,
    images: images as string[],
    problem,
    /** The files that are being read. */
    reading,
    empty: !text.trim() && images.length === 0 && files.length === 0,
    /** The question as the model reads it. */
    whole: () => withFiles(text, files),
    change,
    changeFiles,
    removeImage: (index: number) => changeImages(images.filter((_, each) => each !== index)),
    sent() {
      // As it was sent, so that the chat knows it again when the server has it, and gives it back where that fails.
      if (files.length && !gone) chat.memory.write("draft", id(), withFiles(text, files));
      setText("");
      // On the shelf they stay until the server has them.
      setImages([]);
      chat.memory.images = [];
      changeFiles([]);
      setProblem(null);
    },
    async attach(given: readonly File[]) {
      const pictures = given.filter(({ type }) => type.startsWith("image/") && type !== "image/svg+xml");
      const others = given.filter((file) => !pictures.includes(file));
      setReading(others.length ? others.map(({ name }) => name).join(", ") : null);
      const texts = await Promise.all(others.map((file) => readTextFile(file, (one) => extractDocument(api, one))));
      setReading(null);
      // Not those of the beginning: others may have come or gone while a document was read.
      changeFiles([...latest.current, ...texts.flatMap((read) => ("file" in read ? [read.file] : []))]);
      const problems = texts.flatMap((read) => ("problem" in read ? [read.problem] : []));
      setProblem(problems.join(" ") || null);
      if (pictures.length === 0) return;
      if (!model.takesImages) {
        problems.push(`${model.name} does not take images. Choose a model that does (/model vision).`);
        return setProblem(problems.join(" "));
      }
      const picked = await readImages(pictures, images.length);
      changeImages([...chat.memory.images, ...picked.images]);
      if (picked.problem) setProblem([...problems, picked.problem].join(" "));
    },
  };
}
