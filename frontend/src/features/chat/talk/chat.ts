import { ApiError, isApiError } from "@/shared/api/errors";
import { randomId } from "@/shared/lib/random-id";
import { Answering } from "./answering";
import { getConversation } from "./chat-api";
import { below, type ChatMemory } from "./chat-memory";
import { type ChatMessage, fromStored, isStored, localId, newMessage } from "./chat-message";
import { type ChatServices, type ChatState, type Draft, keptSettings } from "./chat-state";
import { asApiError } from "./connection";
import { type ChatSettings, parseSettings } from "./settings";
import { activePath, addNode, buildTree, choose, emptyTree, removeNode, renameNode } from "./tree";

/** One conversation: its tree of messages and at most one running answer. Components subscribe; nothing here renders. */
export class Chat {
  private state: ChatState;
  private readonly listeners = new Set<() => void>();
  private readonly answering: Answering;
  readonly memory: ChatMemory;
  /** Tells this chat from every other, also before it has an id. */
  readonly key = randomId();

  constructor(
    private readonly services: ChatServices,
    conversationId: string | null,
  ) {
    this.memory = services.memory;
    const set = (change: Partial<ChatState>) => this.set(change);
    this.answering = new Answering({ getState: this.getState, set }, services);
    this.state = {
      conversationId,
      title: null,
      temporary: false,
      system: this.memory.read("system", conversationId),
      settings: parseSettings(this.memory.read("settings", conversationId)),
      tree: emptyTree(),
      run: null,
      loading: false,
      loadError: null,
      returned: null,
    };
    if (conversationId) void this.load();
  }

  getState = (): ChatState => this.state;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  async load(): Promise<void> {
    const id = this.state.conversationId;
    if (!id || this.answering.busy) return;
    this.set({ loading: true, loadError: null });
    try {
      const { conversation, messages } = await getConversation(this.services.api, id);
      this.set({ loading: false, title: conversation.title, tree: buildTree(fromStored(messages)) });
      if (conversation.system) this.set({ system: conversation.system });
      this.answering.resume(
        messages.findLast((message) => message.status === "running")?.run_id ?? this.memory.read("run", id),
      );
    } catch (error) {
      this.set({ loading: false, loadError: asApiError(error) });
    }
  }

  /** Another tab or device may have gone on with this chat: what it added is shown, where the reader is not lost by it. */
  async refresh(): Promise<void> {
    const id = this.state.conversationId;
    if (!id || this.answering.busy || this.state.loading || this.state.temporary) return;
    try {
      const { conversation, messages } = await getConversation(this.services.api, id);
      // Asked meanwhile: the answer that is being made knows its own place.
      if (this.answering.busy || this.state.conversationId !== id) return;
      const path = activePath(this.state.tree);
      if (!path.every(isStored)) return; // a question that failed exists here only
      const leaf = path.at(-1)?.id;
      const tree = buildTree(fromStored(messages));
      const stays = leaf !== undefined && tree.nodes.has(leaf);
      this.set({ title: conversation.title, tree: stays ? choose(tree, leaf) : tree });
      this.answering.resume(messages.findLast((message) => message.status === "running")?.run_id ?? "");
    } catch (error) {
      // Otherwise what is shown stays; the next call on this chat tells what is wrong.
      if (isApiError(error) && error.status === 404) this.deleted();
    }
  }

  /** Another tab has deleted it: the page says so, and what is written here becomes the next chat's. */
  deleted(): void {
    if (this.answering.busy) this.answering.stop();
    this.set({ loadError: new ApiError("It was deleted in another tab or window.", { code: "not_found", status: 404 }) });
  }

  setTemporary(temporary: boolean): void {
    if (activePath(this.state.tree).length === 0) this.set({ temporary });
  }

  setSystem(system: string): void {
    this.memory.write("system", this.state.conversationId, system);
    this.set({ system });
  }

  setSettings(settings: ChatSettings): void {
    this.memory.write("settings", this.state.conversationId, keptSettings(settings));
    this.set({ settings });
  }

  setTitle(title: string): void {
    this.set({ title });
  }

  /** Puts text into the composer, below what is written there already. */
  addToDraft(text: string): void {
    const draft = this.memory.read("draft", this.state.conversationId);
    const whole = below(draft, text);
    this.memory.write("draft", this.state.conversationId, whole);
    this.set({ returned: { text: whole, images: this.state.returned?.images } });
  }

  draftTaken(): void {
    this.set({ returned: null });
  }

  choose(id: string): void {
    this.set({ tree: choose(this.state.tree, id) });
  }

  /** Asks below the last message that was answered; a question that failed becomes a sibling, not a parent. */
  send(draft: Draft): Promise<void> {
    const path = activePath(this.state.tree);
    while (path.at(-1)?.status === "failed" || path.at(-1)?.role === "user") path.pop();
    return this.ask(path.at(-1)?.id ?? null, draft);
  }

  /** The same place in the chat with another question: a new branch. */
  edit(messageId: string, draft: Draft): Promise<void> {
    const message = this.state.tree.nodes.get(messageId);
    return message ? this.ask(message.parentId, { ...draft, images: message.images }) : Promise.resolve();
  }

  /** Another answer to the same question; the one before stays as its sibling, unless it failed. */
  regenerate(messageId: string, model: string, options: { maxTokens?: number; automatic?: boolean } = {}): Promise<void> {
    const answer = this.state.tree.nodes.get(messageId);
    let user = answer?.parentId ? this.state.tree.nodes.get(answer.parentId) : undefined;
    if (!answer || !user || this.answering.busy) return Promise.resolve();
    if (answer.status === "failed") {
      this.set({ tree: removeNode(this.state.tree, answer.id) });
      user = this.unkept(user);
    }
    return this.answering.answer(user, model, options.maxTokens, options.automatic ?? false);
  }

  /** The server keeps no pictures of a question that was refused: it is asked anew, with those that are still here. */
  private unkept(user: ChatMessage): ChatMessage {
    const { nodes } = this.state.tree;
    const answered = [...nodes.values()].some((node) => node.parentId === user.id);
    if (!user.images.length || answered) return user;
    const id = localId();
    this.set({ tree: renameNode(this.state.tree, user.id, id) });
    return this.state.tree.nodes.get(id) ?? user;
  }

  /** Ends the answer in the page at once and on the server as soon as it hears; what came stays and is charged. */
  stop(): void {
    this.answering.stop();
  }

  private ask(parentId: string | null, draft: Draft): Promise<void> {
    if (this.answering.busy) return Promise.resolve();
    const user = newMessage({ parentId, role: "user", content: draft.text, images: draft.images });
    this.set({ tree: addNode(this.state.tree, user) });
    return this.answering.answer(user, draft.model, draft.maxTokens, false);
  }

  private set(change: Partial<ChatState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}
