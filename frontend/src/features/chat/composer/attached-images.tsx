import { X } from "lucide-react";
import { IconButton } from "@/shared/ui/button";

interface AttachedImagesProps {
  /** As data URLs. */
  images: string[];
  /** What reading them costs. */
  words?: string | null;
  onRemove: (index: number) => void;
}

/** The images that will go with the message. */
export function AttachedImages({ images, words, onRemove }: AttachedImagesProps) {
  if (!images.length) return null;
  return (
    <ul aria-label="Attached images" className="flex flex-wrap items-end gap-2">
      {images.map((image, index) => (
        <li key={image.slice(-64)} className="relative">
          <img src={image} alt={`Attachment ${index + 1}`} className="size-16 rounded border border-line object-cover" />
          <IconButton
            size="sm"
            variant="secondary"
            label={`Remove attachment ${index + 1}`}
            className="absolute -top-1.5 -right-1.5 rounded-full"
            onClick={() => onRemove(index)}
          >
            <X aria-hidden className="size-3.5" />
          </IconButton>
        </li>
      ))}
      {words && <li className="text-xs text-muted tabular-nums">{words}</li>}
    </ul>
  );
}
