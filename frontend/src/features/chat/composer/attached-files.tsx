import { FileText, X } from "lucide-react";
import { count, tokens } from "@/shared/lib/format";
import { IconButton } from "@/shared/ui/button";
import { roughTokens, type TextFile } from "./text-files";

/** The texts that will go with the message, each with its length. */
export function AttachedFiles({ files, onRemove }: { files: readonly TextFile[]; onRemove: (index: number) => void }) {
  if (!files.length) return null;
  return (
    <ul aria-label="Attached files" className="flex flex-wrap gap-2">
      {files.map(({ name, text }, index) => (
        <li
          // biome-ignore lint/suspicious/noArrayIndexKey: two pastes may be the same
          key={index}
          className="flex max-w-full items-center gap-1.5 rounded border border-line bg-raised py-0.5 pr-0.5 pl-2 text-xs"
        >
          <FileText aria-hidden className="size-3.5 shrink-0" />
          <span className="truncate">{name}</span>
          <span className="shrink-0 text-muted tabular-nums">
            {count(text.split("\n").length)} lines, about {tokens(roughTokens(text))} tokens
          </span>
          <IconButton size="sm" label={`Remove ${name}`} onClick={() => onRemove(index)}>
            <X aria-hidden className="size-3.5" />
          </IconButton>
        </li>
      ))}
    </ul>
  );
}
