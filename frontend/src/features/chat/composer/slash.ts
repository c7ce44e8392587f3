const commandNames = ["model", "prompts", "agents", "system", "clear", "cost", "export"] as const;
export type CommandName = (typeof commandNames)[number];

export interface Command {
  name: CommandName;
  /** The words after the name; empty when there are none. */
  argument: string;
}

export const commandHelp: Record<CommandName, string> = {
  model: "Change the model from here on, for example /model claude",
  prompts: "Put one of your kept prompts into the message",
  agents: "Choose, make or change an agent: a model with instructions of its own",
  system: "Give instructions that hold for this whole chat",
  clear: "Start a new chat; this one stays in the history",
  cost: "Show what this chat has cost so far",
  export: "Save this chat: /export markdown or /export json",
};

/** The command that a draft is, or null: unknown words after a slash are a message like any other. */
export function parseCommand(draft: string): Command | null {
  const match = /^\/([a-z]+)(?:\s+([\s\S]*))?$/.exec(draft.trim());
  const name = commandNames.find((each) => each === match?.[1]);
  return name ? { name, argument: match?.[2]?.trim() ?? "" } : null;
}

/** The commands to offer while their name is being typed. */
export function suggestCommands(draft: string): readonly CommandName[] {
  const match = /^\/([a-z]*)$/.exec(draft);
  return match ? commandNames.filter((name) => name.startsWith(match[1] ?? "")) : [];
}
