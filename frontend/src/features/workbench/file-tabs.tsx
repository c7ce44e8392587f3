import { FilePlus2, FolderOpen, Save, X } from "lucide-react";
import type { KeyboardEvent } from "react";
import { cn } from "@/shared/lib/cn";
import { plainName } from "@/shared/lib/plain-name";
import { IconButton } from "@/shared/ui/button";
import type { WorkFile } from "./work-file";

export interface FileTabsProps {
  files: readonly WorkFile[];
  activeId: string;
  onActivate: (id: string) => void;
  onClose: (id: string) => void;
  onNew: () => void;
  onOpen: () => void;
  onSave: () => void;
  onRename: () => void;
}

/** One tab a file; arrow keys move between them, Delete closes one, F2 or a double click renames it. A dot marks what is not saved. */
export function FileTabs({ files, activeId, onActivate, onClose, onNew, onOpen, onSave, onRename }: FileTabsProps) {
  const onKeyDown = (event: KeyboardEvent<HTMLElement>, index: number) => {
    const go = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: files.length - 1 }[event.key];
    const target = go === undefined ? undefined : files[(go + files.length) % files.length];
    if (target) {
      event.preventDefault();
      onActivate(target.id);
      const tabs = event.currentTarget.closest('[role="tablist"]')?.querySelectorAll<HTMLElement>('[role="tab"]');
      tabs?.[files.indexOf(target)]?.focus();
    }
    const file = files[index];
    if (event.key === "Delete" && file) onClose(file.id);
    if (event.key === "F2") {
      event.preventDefault();
      onRename();
    }
  };
  return (
    <div className="flex h-9 shrink-0 items-stretch border-b border-line bg-surface pointer-coarse:h-11">
      <div className="flex min-w-0 flex-1 items-stretch overflow-x-auto">
        <div role="tablist" aria-label="Open files" className="flex items-stretch">
          {files.map((file, index) => {
            const active = file.id === activeId;
            const dirty = file.text !== file.saved;
            return (
              <button
                key={file.id}
                type="button"
                role="tab"
                id={`tab-${file.id}`}
                aria-selected={active}
                aria-controls="editor-panel"
                aria-label={dirty ? `${file.name}, not saved` : file.name}
                title={plainName(file.name)}
                tabIndex={active ? 0 : -1}
                onClick={() => onActivate(file.id)}
                onDoubleClick={onRename}
                onAuxClick={(event) => event.button === 1 && onClose(file.id)}
                onKeyDown={(event) => onKeyDown(event, index)}
                className={cn(
                  "flex items-center gap-1.5 border-r border-line px-3 whitespace-nowrap outline-offset-[-2px]",
                  active
                    ? "border-t-2 border-t-focus bg-editor text-fg"
                    : "border-t-2 border-t-transparent text-muted hover:text-fg",
                )}
              >
                <span className="max-w-48 truncate">{plainName(file.name)}</span>
                <span aria-hidden className={cn("size-2 rounded-full bg-fg", !dirty && "invisible")} />
              </button>
            );
          })}
        </div>
        {files.length > 0 && (
          <IconButton
            label="Close this file"
            size="sm"
            className="m-1.5 pointer-coarse:m-0"
            onClick={() => onClose(activeId)}
          >
            <X aria-hidden />
          </IconButton>
        )}
      </div>
      <div className="flex items-center gap-0.5 px-1">
        <IconButton label="New scratch file" onClick={onNew} size="sm">
          <FilePlus2 aria-hidden />
        </IconButton>
        <IconButton label="Open files from disk" onClick={onOpen} size="sm">
          <FolderOpen aria-hidden />
        </IconButton>
        <IconButton label="Save to disk" onClick={onSave} size="sm">
          <Save aria-hidden />
        </IconButton>
      </div>
    </div>
  );
}
