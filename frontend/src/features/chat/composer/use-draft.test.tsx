import { act, renderHook } from "@testing-library/react";
import { createRef, type ReactNode } from "react";
import { describe, expect, it } from "vitest";
import { AUTO } from "@/features/chat/models/models";
import { chatsOf } from "@/features/chat/talk/chats";
import { createServices, ServicesProvider } from "@/shared/api/services";
import { memoryHost } from "@/shared/lib/test-host";
import { parseFiles, type TextFile } from "./text-files";
import { useDraft } from "./use-draft";

const long = "word ".repeat(12_000);
const pasted: TextFile = { name: "Pasted text", text: long };
const other: TextFile = { name: "notes.txt", text: "notes" };

function newChat() {
  const services = createServices(memoryHost());
  const chat = chatsOf(services).get(null);
  const wrapper = ({ children }: { children: ReactNode }) => (
    <ServicesProvider services={services}>{children}</ServicesProvider>
  );
  const mount = () => renderHook(() => useDraft(chat, AUTO, createRef<HTMLTextAreaElement>()), { wrapper });
  return { chat, mount, keptFiles: () => parseFiles(chat.memory.read("files", null)) };
}

describe("a kept draft that is too long for the text field", () => {
  it("is one file, also after another was attached and the page was drawn anew", () => {
    const { chat, mount, keptFiles } = newChat();
    chat.memory.write("draft", null, long);
    const first = mount();
    expect(first.result.current.files).toEqual([pasted]);
    expect(chat.memory.read("draft", null)).toBe("");
    expect(keptFiles()).toEqual([pasted]);
    act(() => first.result.current.changeFiles([...first.result.current.files, other]));
    first.unmount();
    const again = mount();
    expect(again.result.current.text).toBe("");
    expect(again.result.current.files).toEqual([pasted, other]);
  });

  it("stays away when its file is removed", () => {
    const { chat, mount } = newChat();
    chat.memory.write("draft", null, long);
    const first = mount();
    act(() => first.result.current.changeFiles([]));
    first.unmount();
    expect(mount().result.current.empty).toBe(true);
  });

  it("is one file where it was added to while the composer was away", () => {
    const { chat, mount, keptFiles } = newChat();
    chat.addToDraft(long);
    expect(mount().result.current.files).toEqual([pasted]);
    expect(keptFiles()).toEqual([pasted]);
    expect(chat.memory.read("draft", null)).toBe("");
  });
});
