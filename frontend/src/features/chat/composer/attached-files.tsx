import { FileText, X } from "lucide-react";
import { counted } from "@/shared/lib/format";
import { IconButton } from "@/shared/ui/button";
import { readingWords } from "./file-cost";
import { roughTokens, type TextFile } from "./text-files";

interface AttachedFilesProps {
  files: readonly TextFile[];
  /** Dollars per million tokens read; null = not known. */
  inputPrice: number | null;
  onRemove: (index: number) => void;
}

/** The texts that will go with the message, each with its length and what reading it costs. */
export function AttachedFiles({ files, inputPrice, onRemove }: AttachedFilesProps) {
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
            {counted(lines(text), "line")}, {readingWords(roughTokens(text), inputPrice)}
          </span>
          <IconButton size="sm" label={`Remove ${name}`} onClick={() => onRemove(index)}>
            <X aria-hidden className="size-3.5" />
          </IconButton>
        </li>
      ))}
    </ul>
  );
}

/** A line end at the very end begins no further line. */
const lines = (text: string) => text.replace(/\n$/, "").split("\n").length;
