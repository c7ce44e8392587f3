import { useQuery } from "@tanstack/react-query";
import { ChevronDown, EllipsisVertical, History as HistoryIcon, Plus } from "lucide-react";
import { balanceQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import { funds, money } from "@/shared/lib/format";
import { Badge } from "@/shared/ui/badge";
import { Button, IconButton } from "@/shared/ui/button";
import { Menu, MenuItem, MenuSeparator } from "@/shared/ui/menu";
import type { ChatModel } from "./models/models";
import type { Chat } from "./talk/chat";
import { titleOf } from "./talk/chat-state";
import { useChat } from "./talk/chats";
import { settingsWords } from "./talk/settings";
import { activePath } from "./talk/tree";

export interface ChatHeaderProps {
  chat: Chat;
  model: ChatModel;
  onHistory: () => void;
  onNew: () => void;
  onPickModel: () => void;
  onAgents: () => void;
  onSystem: () => void;
  onSettings: () => void;
  onCost: () => void;
  onPrompts: () => void;
  onShare: () => void;
  onSave: (format: "markdown" | "json") => void;
}

export function ChatHeader({ chat, model, ...on }: ChatHeaderProps) {
  const title = useChat(chat, titleOf);
  const temporary = useChat(chat, (state) => state.temporary);
  const system = useChat(chat, (state) => state.system);
  const settings = useChat(chat, (state) => settingsWords(state.settings));
  const empty = useChat(chat, (state) => activePath(state.tree).length === 0);
  return (
    <header className="flex min-h-11 items-center gap-1 border-b border-line bg-editor px-2">
      <IconButton label="Chat history" onClick={on.onHistory}>
        <HistoryIcon aria-hidden />
      </IconButton>
      <IconButton label="New chat" onClick={on.onNew}>
        <Plus aria-hidden />
      </IconButton>
      <Button variant="ghost" className="min-w-0 shrink px-2" title="Change the model" onClick={on.onPickModel}>
        <span className="sr-only">Model: </span>
        <span className="truncate">{model.name}</span>
        {model.provider && <span className="truncate text-muted @max-md:hidden">· {model.provider}</span>}
        <ChevronDown aria-hidden />
      </Button>
      {temporary && <Badge tone="warning">Temporary</Badge>}
      {system && <Badge title={system}>Instructions</Badge>}
      {settings && <Badge title={settings}>Settings</Badge>}
      <h2 className="min-w-0 flex-1 truncate text-center text-sm text-muted @max-2xl:sr-only">{title || "New chat"}</h2>
      <span className="@2xl:hidden flex-1" />
      <LiveBalance />
      <Menu
        trigger={
          <IconButton label="More actions">
            <EllipsisVertical aria-hidden />
          </IconButton>
        }
      >
        <MenuItem disabled={!empty} onClick={() => chat.setTemporary(!temporary)}>
          {temporary ? "Keep this chat" : "Temporary chat"}
        </MenuItem>
        <MenuItem onClick={on.onAgents}>Your agents…</MenuItem>
        <MenuItem onClick={on.onPrompts}>Your prompts…</MenuItem>
        <MenuItem onClick={on.onSystem}>Instructions…</MenuItem>
        <MenuItem onClick={on.onSettings}>Settings of this chat…</MenuItem>
        <MenuItem disabled={empty} onClick={on.onCost}>
          Cost of this chat
        </MenuItem>
        <MenuSeparator />
        <MenuItem disabled={empty || temporary} onClick={on.onShare}>
          Share…
        </MenuItem>
        <MenuItem disabled={empty} onClick={() => on.onSave("markdown")}>
          Save as Markdown
        </MenuItem>
        <MenuItem disabled={empty} onClick={() => on.onSave("json")}>
          Save as JSON
        </MenuItem>
      </Menu>
    </header>
  );
}

function LiveBalance() {
  const api = useApi();
  const { token, session } = useSession();
  const balance = useQuery(balanceQuery(api, token)).data;
  if (!token) {
    return (
      <Button size="sm" onClick={() => void session.require("asked")}>
        Sign in
      </Button>
    );
  }
  return (
    <span
      className="px-1 text-xs text-muted tabular-nums"
      title={balance?.held ? `${money(balance.held)} is set aside for running answers` : undefined}
    >
      <span className="sr-only">Balance </span>
      {balance ? funds(balance.available) : "…"}
    </span>
  );
}
