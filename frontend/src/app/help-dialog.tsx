import { modifier } from "@/app/keys";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";

const groups: [string, [string, string][]][] = [
  [
    "Everywhere",
    [
      [`${modifier}K`, "Find a model or a command"],
      ["/", "Search the marketplace"],
      ["?", "This help"],
      ["Esc", "Close what is open"],
    ],
  ],
  [
    "Marketplace",
    [
      ["Enter", "In the search: ask Q Assistant"],
      ["↓", "From the search to the cards"],
      ["← ↑ → ↓", "Move between cards"],
      ["Enter", "Chat with the model"],
      ["Space", "Open the model's page"],
      ["s", "Star it"],
      ["x", "Take it into the comparison"],
      ["c", "Copy its id"],
    ],
  ],
  [
    "Editor",
    [
      [`${modifier}F`, "Find in the file"],
      [modifier === "⌘" ? "⌘⌥F" : "Ctrl+H", "Replace in the file"],
      ["F2", "Rename the file"],
      ["F12", "To a name's definition in the file"],
      ["Tab", "Leave the editor"],
      ["Ctrl+] Ctrl+[", "Indent, outdent"],
      ["← →", "On a splitter: resize the pane"],
    ],
  ],
  [
    "Chat",
    [
      ["Enter", "Send"],
      ["Shift+Enter", "New line"],
      ["/", "Commands: /model /agents /system /clear /cost /export"],
    ],
  ],
];

export function HelpDialog({ onClose, onTour }: { onClose: () => void; onTour: () => void }) {
  return (
    <Dialog open onOpenChange={onClose} title="Keys" className="w-[min(44rem,calc(100vw-1rem))]">
      <DialogBody className="grid gap-x-8 gap-y-4 sm:grid-cols-2">
        {groups.map(([title, keys]) => (
          <section key={title}>
            <h3 className="mb-1 font-semibold">{title}</h3>
            <dl className="flex flex-col gap-1">
              {keys.map(([key, what]) => (
                <div key={`${key} ${what}`} className="flex gap-2">
                  <dt className="w-28 shrink-0">
                    <kbd className="rounded border border-line bg-editor px-1.5 py-0.5 font-sans text-xs whitespace-nowrap">
                      {key}
                    </kbd>
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <Button className="self-end justify-self-start" onClick={onTour}>
          Start the tour
        </Button>
      </DialogBody>
    </Dialog>
  );
}
