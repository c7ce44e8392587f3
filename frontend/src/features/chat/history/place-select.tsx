import type { Label } from "@/features/chat/library/library-api";
import { NativeSelect } from "@/shared/ui/input";

/** Which chats are listed: all, those of a folder, or those under a tag. */
export interface Place {
  folder?: string;
  tag?: string;
}

export const EVERYWHERE: Place = {};

interface PlaceSelectProps {
  labels: { folders: readonly Label[]; tags: readonly Label[] };
  place: Place;
  onChange: (place: Place) => void;
}

/** Nothing to choose from, nothing shown. */
export function PlaceSelect({ labels, place, onChange }: PlaceSelectProps) {
  const { folders, tags } = labels;
  if (folders.length + tags.length === 0 && place === EVERYWHERE) return null;
  const choose = (value: string) => {
    const name = value.slice(1);
    onChange(value.startsWith("f") ? { folder: name } : value.startsWith("t") ? { tag: name } : EVERYWHERE);
  };
  const value = place.folder ? `f${place.folder}` : place.tag ? `t${place.tag}` : "";
  return (
    <NativeSelect aria-label="Chats shown" className="w-full" value={value} onChange={(event) => choose(event.target.value)}>
      <option value="">All chats</option>
      {folders.length > 0 && (
        <optgroup label="Folders">
          {folders.map(({ name, chats }) => (
            <option key={name} value={`f${name}`}>
              {name} ({chats})
            </option>
          ))}
        </optgroup>
      )}
      {tags.length > 0 && (
        <optgroup label="Tags">
          {tags.map(({ name, chats }) => (
            <option key={name} value={`t${name}`}>
              #{name} ({chats})
            </option>
          ))}
        </optgroup>
      )}
    </NativeSelect>
  );
}
