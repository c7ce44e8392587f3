import { useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
import { useApi, useServices, useSession, withHost } from "@/shared/api/services";
import type { Model } from "@/shared/api/types";
import { Dialog } from "@/shared/ui/dialog";
import "./chat.css";
import { useWidth } from "@/shared/lib/use-width";
import { ChatHeader } from "./chat-header";
import { Composer } from "./composer/composer";
import type { Command } from "./composer/slash";
import { isAgent } from "./dialogs/agents-api";
import { type Open, OpenDialogs } from "./dialogs/open-dialogs";
import { History } from "./history/history";
import { MessageList } from "./messages/message-list";
import { ModelPicker } from "./models/model-picker";
import { AUTO, chatModel, useAgents, useChatModel } from "./models/models";
import { preloadChat } from "./preload";
import { ChatMissing } from "./states/chat-missing";
import { EmptyChat } from "./states/empty-chat";
import { LoadingChat } from "./states/loading";
import { OfflineBanner } from "./states/offline-banner";
import { titleOf } from "./talk/chat-state";
import { chatsOf, useChat } from "./talk/chats";
import { type SaveFormat, saveConversation, savePath } from "./talk/save";
import { activePath } from "./talk/tree";
import { useActions } from "./use-actions";

const MODEL_KEY = "marketplace.chat.model";
const SIDEBAR_FROM_PX = 860;

export interface AIAgentChatProps {
  /** The model chosen outside, for example on a card; the chat's own picker overrides it until it changes. */
  selectedModel?: Model;
  /** Absent: the chat keeps track itself. Null: a new chat. */
  conversationId?: string | null;
  onConversationChange?: (conversationId: string | null) => void;
  /** The chat is what the page is for: the text field has the focus from the start. */
  focusAtOnce?: boolean;
}

function AgentChat({ selectedModel, conversationId, onConversationChange, focusAtOnce = false }: AIAgentChatProps) {
  const services = useServices();
  const api = useApi();
  const { session, token, departures } = useSession();
  const [own, setOwn] = useState<string | null>(null);
  const [freshCount, setFreshCount] = useState(0);
  const wanted = conversationId === undefined ? own : conversationId;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new chat has the same (null) id as the one before it, and so has another user's.
  const chat = useMemo(() => chatsOf(services).get(wanted), [services, wanted, freshCount, departures]);
  const id = useChat(chat, (state) => state.conversationId);
  const loading = useChat(chat, (state) => state.loading);
  const loadError = useChat(chat, (state) => state.loadError);
  const gone = loadError?.status === 404;
  const temporary = useChat(chat, (state) => state.temporary);
  const empty = useChat(chat, (state) => activePath(state.tree).length === 0);
  const lastModel = useChat(chat, (state) => activePath(state.tree).findLast((message) => message.model)?.model);
  const lastAgent = useChat(chat, (state) => activePath(state.tree).findLast((message) => message.model)?.agent);
  const agents = useAgents(lastAgent !== undefined);
  const lastAsked = agents?.some((agent) => agent.id === lastAgent) ? lastAgent : lastModel;
  const [picked, setPicked] = useState<{ id: string; instead: string | undefined } | null>(null);
  const [open, setOpen] = useState<Open>(null);
  const root = useRef<HTMLElement>(null);
  const wide = useWidth(root) >= SIDEBAR_FROM_PX;
  const [sidebar, setSidebar] = useState(true);

  const chosen = picked && picked.instead === selectedModel?.id ? picked.id : selectedModel?.id;
  const modelId = chosen ?? lastAsked ?? services.host.storage.getItem(MODEL_KEY) ?? AUTO.id;
  const asked = useChatModel(modelId);
  const model = selectedModel?.id === modelId ? chatModel(selectedModel) : asked;

  useEffect(preloadChat, []);
  const adopt = useEffectEvent((given: string) => {
    setOwn(given);
    onConversationChange?.(given);
  });
  useEffect(() => {
    if (id !== null && id !== wanted) adopt(id);
  }, [id, wanted]);
  const goTo = (next: string | null) => {
    setOwn(next);
    setOpen(null);
    setPicked(null);
    onConversationChange?.(next);
  };
  const openNew = () => {
    setFreshCount(freshCount + 1);
    goTo(null);
    if (isAgent(modelId)) setPicked({ id: modelId, instead: selectedModel?.id });
  };
  const startNew = () => {
    const fresh = chatsOf(services).fresh();
    if (gone && id) chat.memory.bequeath(id, fresh.memory);
    openNew();
  };
  const pickModel = (next: string) => {
    setPicked({ id: next, instead: selectedModel?.id });
    // Agents belong to an account, and the browser may be lent: only models are remembered here.
    if (!isAgent(next)) services.host.storage.setItem(MODEL_KEY, next);
  };
  const pickAndClose = (next: string) => {
    pickModel(next);
    setOpen(null);
  };
  const save = (format: SaveFormat) => {
    const title = titleOf(chat.getState()) || "Chat";
    if (id && !temporary) void saveConversation(api, id, title, format);
    else savePath(activePath(chat.getState().tree), title, format);
  };
  const openAgents = () => (token ? setOpen({ what: "agents" }) : void session.require("asked"));
  const openPrompts = () => (token ? setOpen({ what: "prompts" }) : void session.require("asked"));
  const run = ({ name, argument }: Command) => {
    if (name === "model") setOpen({ what: "model", search: argument });
    else if (name === "system" && argument) chat.setSystem(argument);
    else if (name === "system") setOpen({ what: "system" });
    else if (name === "agents") openAgents();
    else if (name === "prompts") openPrompts();
    else if (name === "cost") setOpen({ what: "cost" });
    else if (name === "export") save(argument === "json" ? "json" : "markdown");
    else startNew();
  };
  const send = (text: string, images: string[]) => {
    const into = gone ? chatsOf(services).fresh() : chat;
    // What is sent needs no heir, and the new chat may have a draft of its own.
    if (gone && id) chat.memory.forget(id);
    if (gone) openNew();
    setPicked({ id: modelId, instead: selectedModel?.id });
    void into.send({ text, images, model: modelId });
  };
  const actions = useActions({
    chat,
    modelId,
    onPick: pickModel,
    onPickModel: () => setOpen({ what: "model" }),
    onReceipt: (requestId) => setOpen({ what: "receipt", requestId }),
  });
  const history = <History current={id} onOpen={goTo} onNew={startNew} />;

  return (
    <section
      ref={root}
      aria-label="Chat"
      className="chat-root @container flex h-full min-h-0 w-full bg-editor text-editor-fg"
    >
      {wide && sidebar && <aside className="w-64 shrink-0 border-r border-line">{history}</aside>}
      <div className="flex min-w-0 flex-1 flex-col">
        <ChatHeader
          chat={chat}
          model={model}
          onHistory={() => (wide ? setSidebar(!sidebar) : setOpen({ what: "history" }))}
          onNew={startNew}
          onPickModel={() => setOpen({ what: "model" })}
          onAgents={openAgents}
          onSystem={() => setOpen({ what: "system" })}
          onSettings={() => setOpen({ what: "settings" })}
          onCost={() => setOpen({ what: "cost" })}
          onSave={save}
          onPrompts={openPrompts}
          onShare={() => setOpen({ what: "share" })}
        />
        <OfflineBanner />
        {loading ? (
          <div className="min-h-0 flex-1 overflow-hidden">
            <LoadingChat />
          </div>
        ) : loadError ? (
          <ChatMissing error={loadError} onRetry={() => void chat.load()} onNew={startNew} />
        ) : empty ? (
          <div className="min-h-0 flex-1 overflow-y-auto">
            <EmptyChat model={model} temporary={temporary} onStart={(text) => send(text, [])} />
          </div>
        ) : (
          <MessageList chat={chat} actions={actions} />
        )}
        <Composer
          key={chat.key}
          focusAtOnce={focusAtOnce}
          chat={chat}
          model={model}
          onSend={send}
          onCommand={run}
          onPickModel={pickModel}
        />
      </div>
      <Dialog
        open={open?.what === "history"}
        onOpenChange={() => setOpen(null)}
        title="Chats"
        variant="drawer"
        className="right-auto left-0 w-[min(20rem,90vw)]"
      >
        {history}
      </Dialog>
      <ModelPicker
        open={open?.what === "model"}
        onClose={() => setOpen(null)}
        current={modelId}
        initialSearch={open?.what === "model" ? (open.search ?? "") : ""}
        onPick={pickAndClose}
        onAgents={openAgents}
      />
      <OpenDialogs open={open} chat={chat} model={model} onPick={pickAndClose} onClose={() => setOpen(null)} />
    </section>
  );
}

/** A chat with models: streaming answers, branches, prices. Fills its parent. */
export const AIAgentChat = withHost<AIAgentChatProps>(AgentChat);
