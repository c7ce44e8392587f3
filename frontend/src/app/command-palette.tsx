import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { useMemo, useRef, useState } from "react";
import { type PaletteCommand, useCommands } from "@/app/commands";
import { priceWords } from "@/features/marketplace/model-facts";
import { searchModels } from "@/features/marketplace/search-models";
import { modelsQuery } from "@/shared/api/queries";
import { useApi } from "@/shared/api/services";
import type { Model } from "@/shared/api/types";
import { providerName } from "@/shared/lib/names";
import { Dialog } from "@/shared/ui/dialog";

const MODELS_SHOWN = 8;
const item =
  "flex min-h-8 cursor-pointer items-center gap-2 rounded px-2 data-[selected=true]:bg-active data-[selected=true]:text-active-fg pointer-coarse:min-h-11";
const heading =
  "px-1 pb-1 **:[[cmdk-group-heading]]:px-2 **:[[cmdk-group-heading]]:py-1 **:[[cmdk-group-heading]]:text-xs **:[[cmdk-group-heading]]:text-muted";

/** Models and commands by name. Choosing a model starts a chat with it. */
export function CommandPalette({
  onClose,
  onHelp,
  onTour,
}: {
  onClose: () => void;
  onHelp: () => void;
  onTour: () => void;
}) {
  const api = useApi();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const { data: models } = useQuery(modelsQuery(api));
  const commands = useCommands({ onHelp, onTour });
  const foundModels = useMemo(() => searchModels(models ?? [], text).slice(0, MODELS_SHOWN), [models, text]);
  const foundCommands = useMemo(() => commands.filter((command) => matches(command, text)), [commands, text]);
  const run = (act: () => void) => {
    onClose();
    act();
  };
  const chat = (model: Model) =>
    void navigate({ to: "/", search: (before) => ({ ...before, model: model.id, pane: "chat" as const, view: undefined }) });
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="Find a model or a command"
      hideTitle
      initialFocus={input}
      className="top-12 max-h-[70dvh]"
    >
      <Command shouldFilter={false} label="Models and commands" className="flex min-h-0 flex-col">
        <Command.Input
          ref={input}
          value={text}
          onValueChange={setText}
          placeholder="Type a model's name or a command"
          className="h-10 w-full shrink-0 border-b border-line bg-transparent px-4 text-sm outline-none pointer-coarse:h-12 pointer-coarse:text-base"
        />
        <Command.List className="min-h-0 flex-1 overflow-y-auto py-1">
          <Command.Empty className="px-4 py-6 text-center text-muted">Nothing is called that.</Command.Empty>
          {foundCommands.length > 0 && (
            <Command.Group heading="Commands" className={heading}>
              {foundCommands.map((command) => (
                <Command.Item
                  key={command.id}
                  value={`command ${command.id}`}
                  onSelect={() => run(command.run)}
                  className={item}
                >
                  <command.icon aria-hidden className="size-4" />
                  {command.label}
                </Command.Item>
              ))}
            </Command.Group>
          )}
          {foundModels.length > 0 && (
            <Command.Group heading="Chat with" className={heading}>
              {foundModels.map((model) => (
                <Command.Item
                  key={model.id}
                  value={`model ${model.id}`}
                  onSelect={() => run(() => chat(model))}
                  className={item}
                >
                  <ModelLine model={model} />
                </Command.Item>
              ))}
            </Command.Group>
          )}
        </Command.List>
      </Command>
    </Dialog>
  );
}

function ModelLine({ model }: { model: Model }) {
  const price = priceWords(model);
  return (
    <>
      <span className="min-w-0 flex-1 truncate">
        {model.name} <span className="text-xs opacity-80">{providerName(model.provider)}</span>
      </span>
      <span className="shrink-0 text-xs tabular-nums opacity-80">
        {"words" in price ? price.words : `${price.input} · ${price.output}`}
      </span>
    </>
  );
}

function matches(command: PaletteCommand, text: string): boolean {
  const label = `${command.label} ${command.words ?? ""}`.toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => label.includes(word));
}
