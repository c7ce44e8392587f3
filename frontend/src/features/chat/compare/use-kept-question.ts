import { useEffect, useMemo, useState } from "react";
import { parseFiles, type TextFile } from "@/features/chat/composer/text-files";
import { ChatMemory } from "@/features/chat/talk/chat-memory";
import { memoryPlace } from "@/features/chat/talk/chats";
import { useServices, useSession } from "@/shared/api/services";

/** A question to several models while it is being written: kept on this device as a chat's draft is, each tab its own. */
export function useKeptQuestion() {
  const services = useServices();
  const { account } = useSession();
  const slot = `compare.${services.host.tab}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another account's question is another one
  const memory = useMemo(() => new ChatMemory(memoryPlace(services)), [services, account]);
  const [text, setText] = useState(() => memory.read("draft", slot));
  const [files, setFiles] = useState(() => parseFiles(memory.read("files", slot)));
  const [images, setImages] = useState<string[]>([]);
  useEffect(() => {
    let current = true;
    void memory.keptImages(slot).then((kept) => {
      if (current && kept.length) setImages(kept);
    });
    return () => {
      current = false;
    };
  }, [memory, slot]);
  return {
    text,
    files,
    images,
    setText(next: string) {
      setText(next);
      memory.write("draft", slot, next);
    },
    setFiles(next: TextFile[]) {
      setFiles(next);
      memory.write("files", slot, next.length ? JSON.stringify(next) : "");
    },
    setImages(next: string[]) {
      setImages(next);
      memory.keepImages(slot, next);
    },
  };
}
