import { Check, MessageSquareCode, Undo2 } from "lucide-react";
import { type DragEvent, lazy, Suspense, useCallback, useState } from "react";
import { useStore } from "zustand";
import { encodeText, NotInEncoding, type TextForm } from "@/shared/lib/text-bytes";
import { Button } from "@/shared/ui/button";
import { Skeleton } from "@/shared/ui/skeleton";
import { useToast } from "@/shared/ui/toast";
import { FileTabs } from "./file-tabs";
import { FileRefused, openFromDisk, readText, saveToDisk } from "./files";
import { RenameDialog } from "./rename-dialog";
import type { Workbench } from "./workbench-store";

const CodeEditor = lazy(() => import("./code-editor").then((module) => ({ default: module.CodeEditor })));

/** Open, save and drop, with their failures said in a toast. */
export function useFileActions(workbench: Workbench) {
  const toast = useToast();
  const guard = useCallback(
    async (act: () => Promise<void>) => {
      try {
        await act();
      } catch (error) {
        const told = error instanceof FileRefused || error instanceof DOMException || error instanceof NotInEncoding;
        const words = told ? error.message : "The file could not be read or written.";
        const file = workbench.active;
        if (!(error instanceof NotInEncoding) || !file) return toast({ title: words });
        const onClick = () => workbench.toUnicode(file.id);
        toast({ title: `Not saved: ${words}`, action: { label: "Make it UTF-8, then save again", onClick } });
      }
    },
    [toast, workbench],
  );
  return {
    open: () => guard(async () => workbench.open((await openFromDisk()) ?? [])),
    save: () =>
      guard(async () => {
        const file = workbench.active;
        if (!file) return;
        const bytes = encodeText(file.text, file.form);
        const handle = await saveToDisk(file.name, bytes, file.handle);
        if (handle === null) return;
        workbench.markSaved(file.id, file.text, handle);
        toast({ title: `Saved ${handle?.name ?? file.name}` });
      }),
    drop: (files: readonly File[]) =>
      guard(async () => {
        const read = await Promise.allSettled(files.map(readText));
        workbench.open(read.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
        const refused = read.find((one) => one.status === "rejected");
        if (refused) throw refused.reason;
      }),
  };
}

export interface EditorPaneProps {
  workbench: Workbench;
  /** "Use selection": absent where there is no chat. */
  onAskAboutSelection?: () => void;
}

/** The editor with its tabs, the bar of a proposed change, and where the cursor is. */
export function EditorPane({ workbench, onAskAboutSelection }: EditorPaneProps) {
  const files = useStore(workbench.store, (state) => state.files);
  const activeId = useStore(workbench.store, (state) => state.activeId);
  const loaded = useStore(workbench.store, (state) => state.loaded);
  const actions = useFileActions(workbench);
  const file = files.find((one) => one.id === activeId);
  const toast = useToast();
  const [renaming, setRenaming] = useState(false);
  const close = (id: string) => {
    const closed = files.find((one) => one.id === id);
    workbench.close(id);
    if (closed && closed.text !== closed.saved) {
      toast({
        title: `Closed ${closed.name}, which was not saved`,
        action: { label: "Open it again", onClick: () => workbench.open([closed]) },
      });
    }
  };
  const onDrop = (event: DragEvent) => {
    const dropped = [...event.dataTransfer.files];
    if (dropped.length === 0) return;
    event.preventDefault();
    void actions.drop(dropped);
  };
  return (
    <section
      aria-label="Editor"
      className="flex h-full min-h-0 flex-col bg-editor"
      onDragOver={(event) => event.dataTransfer.types.includes("Files") && event.preventDefault()}
      onDrop={onDrop}
    >
      <FileTabs
        files={files}
        activeId={activeId}
        onActivate={(id) => workbench.activate(id)}
        onClose={close}
        onNew={() => workbench.newScratch()}
        onOpen={() => void actions.open()}
        onSave={() => void actions.save()}
        onRename={() => setRenaming(true)}
      />
      {file?.original !== undefined && (
        <div role="status" className="flex flex-wrap items-center gap-2 border-b border-line bg-raised px-3 py-1.5">
          <p className="min-w-40 flex-1">Proposed change. Take it part by part below, or all at once.</p>
          <Button size="sm" variant="primary" onClick={() => workbench.accept()}>
            <Check aria-hidden className="size-3.5!" />
            Accept all
          </Button>
          <Button size="sm" onClick={() => workbench.reject()}>
            <Undo2 aria-hidden className="size-3.5!" />
            Reject
          </Button>
        </div>
      )}
      <div role="tabpanel" id="editor-panel" aria-labelledby={`tab-${activeId}`} className="min-h-0 flex-1">
        <Suspense fallback={<EditorSkeleton />}>
          {file && loaded ? (
            <CodeEditor
              workbench={workbench}
              file={file}
              original={file.original ?? null}
              save={() => void actions.save()}
              rename={() => setRenaming(true)}
              tell={(title) => toast({ title })}
            />
          ) : (
            <EditorSkeleton />
          )}
        </Suspense>
      </div>
      {renaming && file && (
        <RenameDialog file={file} onRename={(name) => workbench.rename(file.id, name)} onClose={() => setRenaming(false)} />
      )}
      <EditorStatus workbench={workbench} onAskAboutSelection={onAskAboutSelection} />
    </section>
  );
}

function EditorStatus({ workbench, onAskAboutSelection }: EditorPaneProps) {
  const cursor = useStore(workbench.store, (state) => state.cursor);
  const file = useStore(workbench.store, (state) => state.files.find(({ id }) => id === state.activeId));
  const failed = useStore(workbench.store, (state) => state.keeping === "failed");
  return (
    <div className="flex min-h-8 shrink-0 items-center gap-4 border-t border-line px-3 text-xs text-muted">
      {onAskAboutSelection && (
        <Button
          size="sm"
          variant="ghost"
          className="-ml-2 h-6 pointer-coarse:h-11"
          disabled={cursor.selected === 0}
          onClick={onAskAboutSelection}
        >
          <MessageSquareCode aria-hidden className="size-3.5!" />
          Ask about the selection
        </Button>
      )}
      {failed && (
        <span role="alert" className="text-danger">
          This browser does not keep what you type: save it to disk.
        </span>
      )}
      <span className="ml-auto">{cursor.selected > 0 && `${cursor.selected} selected`}</span>
      <span className="whitespace-nowrap">
        Ln {cursor.line}, Col {cursor.column}
      </span>
      {file && <span className="whitespace-nowrap max-sm:hidden">{formWords(file.form)}</span>}
      <span>{file?.language}</span>
    </div>
  );
}

const encodings = { "utf-8": "UTF-8", "utf-16le": "UTF-16", "utf-16be": "UTF-16", "windows-1252": "Western" };

/** What is not UTF-8 with plain line ends is worth a word; for example "Western CRLF". */
function formWords({ encoding, mark, ends }: TextForm): string {
  const words = [encoding === "utf-8" && !mark ? "" : `${encodings[encoding]}${mark ? " with BOM" : ""}`];
  if (ends !== "lf") words.push(ends === "crlf" ? "CRLF" : "mixed line ends");
  return words.join(" ").trim();
}

function EditorSkeleton() {
  return (
    <div aria-busy className="flex flex-col gap-2 p-4">
      {["w-1/2", "w-2/3", "w-1/3", "w-1/2", "w-1/4"].map((width, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the placeholders never change
        <Skeleton key={index} className={`h-3.5 ${width}`} />
      ))}
    </div>
  );
}
