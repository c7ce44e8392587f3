import { X } from "lucide-react";
import { IconButton } from "@/shared/ui/button";

/** The images that will go with the message, as data URLs. */
export function AttachedImages({ images, onRemove }: { images: string[]; onRemove: (index: number) => void }) {
  if (!images.length) return null;
  return (
    <ul aria-label="Attached images" className="flex flex-wrap gap-2">
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
    </ul>
  );
}
