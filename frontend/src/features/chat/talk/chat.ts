import type { ApiClient } from "@/shared/api/client";
import { ApiError, isAbort, isApiError } from "@/shared/api/errors";
import { randomId } from "@/shared/lib/random-id";
import { endRun, getConversation, openChat, openTemporary, resumeRun, wireMessages } from "./chat-api";
import type { ChatMemory } from "./chat-memory";
import { type ChatMessage, fromRun, fromStored, isStored, localId, newMessage } from "./chat-message";
import { billStoppedRun, cutRun, isRunning, newRun, type Run, reduceRun, stopRun } from "./run-reducer";
import { type ChatSettings, parseSettings } from "./settings";
import { readEvents, type ServerEvent } from "./sse";
import {
  activePath,
  addNode,
  buildTree,
  choose,
  emptyTree,
  pathTo,
  removeNode,
  renameNode,
  type Tree,
  updateNode,
} from "./tree";

export interface ChatState {
  conversationId: string | null;
  title: string | null;
  temporary: boolean;
  system: string;
  settings: ChatSettings;
  tree: Tree<ChatMessage>;
  /** The answer being made now; its message in the tree is filled when it ends. */
  run: { key: string; run: Run } | null;
  loading: boolean;
  loadError: ApiError | null;
  /** Text for the composer: a draft that could not be sent, or a selection; `images` absent leaves its images alone. */
  returned: { text: string; images?: string[] } | null;
}

export interface ChatServices {
  api: ApiClient;
  memory: ChatMemory;
  onConversation(id: string): void;
  /** Called after every answer; `balance` in dollars where the server told it. */
  onSettled(balance: number | undefined): void;
  /** requestAnimationFrame in the page: one update a frame however fast the model is. */
  nextFrame(callback: () => void): void;
}

export interface Draft {
  text: string;
  images: string[];
  model: string;
  maxTokens?: number;
}

interface ActiveRun {
  messageId: string;
  key: string;
  controller: AbortController;
  run: Run;
  /** The bill of a stopped run has come, or will not. */
  billed: boolean;
  /** The run's id as it lies in the chat's memory. */
  remembered?: string;
}

const RECONNECTS = 3;
const RECONNECT_MS = 500;
const BILL_WAIT_MS = 3000;

/** One conversation: its tree of messages and at most one running answer. Components subscribe; nothing here renders. */
export class Chat {
  private state: ChatState;
  private readonly listeners = new Set<() => void>();
  private active: ActiveRun | null = null;
  readonly memory: ChatMemory;
  /** Tells this chat from every other, also before it has an id. */
  readonly key = randomId();

  constructor(
    private readonly services: ChatServices,
    conversationId: string | null,
  ) {
    this.memory = services.memory;
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
    if (!id || this.active) return;
    this.set({ loading: true, loadError: null });
    try {
      const { conversation, messages } = await getConversation(this.services.api, id);
      this.set({ loading: false, title: conversation.title, tree: buildTree(fromStored(messages)) });
      if (conversation.system) this.set({ system: conversation.system });
      this.resume(messages.findLast((message) => message.status === "running")?.run_id ?? this.memory.read("run", id));
    } catch (error) {
      this.set({ loading: false, loadError: asApiError(error) });
    }
  }

  /** Another tab or device may have gone on with this chat: what it added is shown, where the reader is not lost by it. */
  async refresh(): Promise<void> {
    const id = this.state.conversationId;
    if (!id || this.active || this.state.loading || this.state.temporary) return;
    try {
      const { conversation, messages } = await getConversation(this.services.api, id);
      // Asked meanwhile: the answer that is being made knows its own place.
      if (this.active || this.state.conversationId !== id) return;
      const path = activePath(this.state.tree);
      if (!path.every(isStored)) return; // a question that failed exists here only
      const leaf = path.at(-1)?.id;
      const tree = buildTree(fromStored(messages));
      const stays = leaf !== undefined && tree.nodes.has(leaf);
      this.set({ title: conversation.title, tree: stays ? choose(tree, leaf) : tree });
      this.resume(messages.findLast((message) => message.status === "running")?.run_id ?? "");
    } catch {
      // What is shown stays; the next call on this chat tells what is wrong.
    }
  }

  setTemporary(temporary: boolean): void {
    if (activePath(this.state.tree).length === 0) this.set({ temporary });
  }

  setSystem(system: string): void {
    this.memory.write("system", this.state.conversationId, system);
    this.set({ system });
  }

  setSettings(settings: ChatSettings): void {
    this.memory.write("settings", this.state.conversationId, kept(settings));
    this.set({ settings });
  }

  setTitle(title: string): void {
    this.set({ title });
  }

  /** Puts text into the composer, below what is written there already. */
  addToDraft(text: string): void {
    const draft = this.memory.read("draft", this.state.conversationId);
    const whole = draft.trim() ? `${draft.trimEnd()}\n\n${text}` : text;
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
    if (!answer || !user || this.active) return Promise.resolve();
    if (answer.status === "failed") {
      this.set({ tree: removeNode(this.state.tree, answer.id) });
      user = this.unkept(user);
    }
    return this.answer(user, model, options.maxTokens, options.automatic ?? false);
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
    const active = this.active;
    if (!active || !isRunning(active.run)) return;
    active.run = stopRun(active.run);
    this.finish(active);
    void this.endOnServer(active);
  }

  private ask(parentId: string | null, draft: Draft): Promise<void> {
    if (this.active) return Promise.resolve();
    const user = newMessage({ parentId, role: "user", content: draft.text, images: draft.images });
    this.set({ tree: addNode(this.state.tree, user) });
    return this.answer(user, draft.model, draft.maxTokens, false);
  }

  private async answer(user: ChatMessage, model: string, maxTokens: number | undefined, retried: boolean): Promise<void> {
    const message = newMessage({ parentId: user.id, role: "assistant", status: "running", model, retried });
    this.set({ tree: addNode(this.state.tree, message) });
    const active = this.activate(message, newRun(newRunId(), model));
    try {
      const response = await this.open(active, user, model, maxTokens);
      this.memory.sent(this.state.conversationId, user.content);
      await this.follow(active, response);
    } catch (error) {
      if (isApiError(error) && error.status === 401) this.giveBack(active, user);
      else if (!isAbort(error)) active.run = cutRun(active.run, asApiError(error));
    } finally {
      this.finish(active);
    }
  }

  private activate(message: ChatMessage, run: Run): ActiveRun {
    const active = { messageId: message.id, key: message.key, controller: new AbortController(), run, billed: false };
    this.active = active;
    this.publish(active);
    return active;
  }

  private open(active: ActiveRun, user: ChatMessage, model: string, maxTokens?: number): Promise<Response> {
    const { conversationId, system, temporary, tree } = this.state;
    const settings = { ...this.state.settings, ...(maxTokens ? { maxTokens } : {}) };
    const { api } = this.services;
    const { runId } = active.run;
    if (temporary) {
      const messages = wireMessages(pathTo(tree, user.id), system);
      return openTemporary(api, { model, runId, messages, settings }, active.controller.signal);
    }
    const again = isStored(user);
    const request = {
      model,
      runId,
      conversationId,
      parentId: again ? user.id : user.parentId,
      message: again ? undefined : user.content,
      images: again ? [] : user.images,
      system,
      settings,
    };
    return openChat(api, request, active.controller.signal);
  }

  /** Reads to the end of the answer, reattaching a few times where the connection breaks. */
  private async follow(active: ActiveRun, first: Response): Promise<void> {
    let response: Response | null = first;
    for (let attempt = 0; ; attempt += 1) {
      if (response) await this.read(active, response);
      if (active.billed || !isRunning(active.run)) return;
      if (this.state.temporary || attempt >= RECONNECTS) throw connectionLost();
      await pause(RECONNECT_MS * 2 ** attempt, active.controller.signal);
      try {
        response = await resumeRun(this.services.api, active.run.runId, active.run.lastEventId, active.controller.signal);
      } catch (error) {
        if (!isApiError(error) || error.status !== 0) throw error;
        response = null;
      }
    }
  }

  private async read(active: ActiveRun, response: Response): Promise<void> {
    let queue: ServerEvent[] = [];
    const flush = () => {
      const events = queue;
      queue = [];
      if (events.length) this.take(active, events);
    };
    try {
      for await (const event of readEvents(response.body ?? new ReadableStream())) {
        queue.push(event);
        if (queue.length === 1) this.services.nextFrame(flush);
        if (event.type === "done" || event.type === "error") break;
      }
    } catch (error) {
      // A broken connection only ends this reading: `follow` decides whether to reattach. A stop is for real.
      if (isAbort(error)) throw error;
    } finally {
      flush();
    }
  }

  private take(active: ActiveRun, events: readonly ServerEvent[]): void {
    if (active.run.phase === "stopped") {
      for (const event of events) this.takeAfterStop(active, event);
      return;
    }
    active.run = reduceRun(active.run, events);
    this.adoptIds(active);
    this.publish(active);
  }

  /** The page has let go of this answer; its ids and its bill are still wanted. */
  private takeAfterStop(active: ActiveRun, event: ServerEvent): void {
    if (event.type === "start") {
      const { runId, ...told } = reduceRun(newRun(active.run.runId, active.run.model), [event]);
      const renamed = runId !== active.run.runId;
      active.run = { ...active.run, runId, ...pickIds(told) };
      this.adoptIds(active);
      if (renamed) void this.endOnServer(active);
    }
    const billed = billStoppedRun(active.run, event);
    active.billed ||= billed !== active.run;
    active.run = billed;
  }

  /** The server names the conversation and its messages in the first event. */
  private adoptIds(active: ActiveRun): void {
    const { conversationId, messageId, userMessageId, runId } = active.run;
    const answer = this.state.tree.nodes.get(active.messageId);
    const current = this.active === null || this.active === active;
    if (current && conversationId && conversationId !== this.state.conversationId && !this.state.temporary) {
      this.memory.write("system", conversationId, this.state.system);
      this.memory.write("settings", conversationId, kept(this.state.settings));
      // From now on they are this chat's: the next new chat begins with none.
      this.memory.write("system", null, "");
      this.memory.write("settings", null, "");
      this.set({ conversationId });
      this.services.onConversation(conversationId);
    }
    if (userMessageId && answer?.parentId) this.set({ tree: renameNode(this.state.tree, answer.parentId, userMessageId) });
    if (messageId && messageId !== active.messageId) {
      this.set({ tree: renameNode(this.state.tree, active.messageId, messageId) });
      if (this.state.tree.nodes.has(messageId)) active.messageId = messageId;
    }
    if (conversationId && isRunning(active.run) && active.remembered !== runId) {
      active.remembered = runId;
      this.memory.write("run", conversationId, runId);
    }
  }

  private async endOnServer(active: ActiveRun): Promise<void> {
    const { signal } = active.controller;
    try {
      await endRun(this.services.api, active.run.runId);
      await pause(BILL_WAIT_MS, signal);
    } catch {
      // The server does not know the run (yet): closing the connection is what ends it then.
    }
    active.controller.abort();
  }

  /** Nobody signed in: the question goes back into the composer, as if it had not been sent. */
  private giveBack(active: ActiveRun, user: ChatMessage): void {
    const draft = { text: user.content, images: user.images };
    const root = isStored(user) ? active.messageId : user.id;
    this.set({ tree: removeNode(this.state.tree, root), returned: isStored(user) ? null : draft });
  }

  /** Also called a second time, when the bill of a stopped answer has come. */
  private finish(active: ActiveRun): void {
    if (this.active === active) {
      this.active = null;
      if (this.state.conversationId) this.memory.write("run", this.state.conversationId, "");
      this.set({ run: null });
    }
    this.set({ tree: updateNode(this.state.tree, active.messageId, fromRun(active.run)) });
    this.services.onSettled(active.run.balance);
  }

  /** After a reload: reattaches to an answer that is still being made. */
  private resume(runId: string): void {
    const { conversationId, tree } = this.state;
    if (!runId || !conversationId || this.active) return;
    const last = activePath(tree).at(-1);
    if (!last) return;
    let message = last;
    if (last.role === "user") {
      message = newMessage({ parentId: last.id, role: "assistant", status: "running" });
      this.set({ tree: addNode(tree, message) });
    }
    const active = this.activate(message, newRun(runId, message.model ?? ""));
    void this.reattach(active, last.role === "user");
  }

  private async reattach(active: ActiveRun, added: boolean): Promise<void> {
    try {
      const { api } = this.services;
      await this.follow(active, await resumeRun(api, active.run.runId, "", active.controller.signal));
      this.finish(active);
    } catch (error) {
      // The run is over and forgotten: what the server stored is the answer.
      const gone = isApiError(error) && error.status === 404;
      if (!gone) active.run = cutRun(active.run, asApiError(error));
      if (!gone || active.run.text) return this.finish(active);
      this.active = null;
      this.memory.write("run", this.state.conversationId, "");
      const tree = added ? removeNode(this.state.tree, active.messageId) : this.state.tree;
      this.set({ tree: settleInterrupted(tree, active.messageId), run: null });
    }
  }

  private publish(active: ActiveRun): void {
    if (this.active === active) this.set({ run: { key: active.key, run: active.run } });
  }

  private set(change: Partial<ChatState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

/** The chat's title; until it has one, the beginning of its first question. Empty for a new chat. */
export function titleOf({ title, tree }: ChatState): string {
  return title || (activePath(tree)[0]?.content.split("\n")[0]?.slice(0, 80) ?? "");
}

/** A message that the server still calls running although its run is gone was cut. */
function settleInterrupted(tree: Tree<ChatMessage>, id: string): Tree<ChatMessage> {
  const message = tree.nodes.get(id);
  return message?.status === "running" ? updateNode(tree, id, { status: message.content ? "cut" : "failed" }) : tree;
}

function pickIds(run: Partial<Run>): Partial<Run> {
  const { requestId, conversationId, messageId, userMessageId, provider } = run;
  return { requestId, conversationId, messageId, userMessageId, provider };
}

const kept = (settings: ChatSettings) => (Object.keys(settings).length ? JSON.stringify(settings) : "");

const newRunId = () => `run_${randomId()}`;

const connectionLost = () => new ApiError("The connection was lost.", { code: "offline", status: 0 });

function asApiError(error: unknown): ApiError {
  return isApiError(error) ? error : new ApiError("The page met an unexpected error.", { code: "server", status: 500 });
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopped = () => reject(new DOMException("Stopped", "AbortError"));
    if (signal.aborted) return stopped();
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    const abort = () => {
      clearTimeout(timer);
      stopped();
    };
    signal.addEventListener("abort", abort, { once: true });
  });
}
