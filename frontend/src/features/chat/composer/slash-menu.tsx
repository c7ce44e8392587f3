import { cn } from "@/shared/lib/cn";
import { type CommandName, commandHelp } from "./slash";

/** The commands that fit what is typed; the text field keeps the focus. */
export function SlashMenu(props: {
  id: string;
  names: readonly CommandName[];
  selected: number;
  onPick: (name: CommandName) => void;
}) {
  return (
    <div
      id={props.id}
      role="listbox"
      aria-label="Commands"
      className="absolute bottom-full left-0 z-10 mb-1 w-full max-w-md rounded-md border border-line bg-raised p-1 shadow-widget"
    >
      {props.names.map((name, index) => (
        <div
          key={name}
          id={`${props.id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === props.selected}
          className={cn("cursor-pointer rounded px-2 py-1.5", index === props.selected && "bg-active text-active-fg")}
          onPointerDown={(event) => {
            event.preventDefault();
            props.onPick(name);
          }}
        >
          <span className="font-mono">/{name}</span>{" "}
          <span className={cn("text-xs", index === props.selected ? "" : "text-muted")}>{commandHelp[name]}</span>
        </div>
      ))}
    </div>
  );
}
