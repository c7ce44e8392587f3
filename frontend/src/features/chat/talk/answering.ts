import { isAbort, isApiError } from "@/shared/api/errors";
import { randomId } from "@/shared/lib/random-id";
import { endRun, openChat, openTemporary, resumeRun, wireMessages } from "./chat-api";
import { type ChatMessage, fromRun, isStored, newMessage } from "./chat-message";
import { type ChatServices, type ChatState, keptSettings } from "./chat-state";
import { asApiError, connectionLost, pause, readBatches } from "./connection";
import { billStoppedRun, cutRun, isRunning, newRun, pickIds, type Run, reduceRun, stopRun } from "./run-reducer";
import type { ServerEvent } from "./sse";
import { activePath, addNode, pathTo, removeNode, renameNode, type Tree, updateNode } from "./tree";

/** The chat that an answer is made in. */
interface Place {
  getState(): ChatState;
  set(change: Partial<ChatState>): void;
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
  /** It was begun by another tab or before a reload. */
  followed?: boolean;
}

const RECONNECTS = 3;
const RECONNECT_MS = 500;
const BILL_WAIT_MS = 3000;

/** The answer that is being made in a chat: from its first byte, over broken connections and reloads, to its bill. */
export class Answering {
  private active: ActiveRun | null = null;

  constructor(
    private readonly place: Place,
    private readonly services: ChatServices,
  ) {}

  get busy(): boolean {
    return this.active !== null;
  }

  /** Ends the answer in the page at once and on the server as soon as it hears; what came stays and is charged. */
  stop(): void {
    const { active } = this;
    if (!active || !isRunning(active.run)) return;
    active.run = stopRun(active.run);
    this.finish(active);
    void this.endOnServer(active);
  }

  async answer(user: ChatMessage, model: string, maxTokens: number | undefined, retried: boolean): Promise<void> {
    const message = newMessage({ parentId: user.id, role: "assistant", status: "running", model, retried });
    this.place.set({ tree: addNode(this.place.getState().tree, message) });
    const active = this.activate(message, newRun(newRunId(), model));
    try {
      const response = await this.open(active, user, model, maxTokens);
      this.services.memory.sent(this.place.getState().conversationId, user.content);
      await this.follow(active, response);
    } catch (error) {
      if (isApiError(error) && error.status === 401) this.giveBack(active, user);
      else if (!isAbort(error)) active.run = cutRun(active.run, asApiError(error));
    } finally {
      this.finish(active);
    }
  }

  private activate(message: ChatMessage, run: Run): ActiveRun {
    const controller = new AbortController();
    const active: ActiveRun = { messageId: message.id, key: message.key, controller, run, billed: false };
    this.active = active;
    this.publish(active);
    return active;
  }

  private open(active: ActiveRun, user: ChatMessage, model: string, maxTokens?: number): Promise<Response> {
    const { conversationId, system, temporary, tree } = this.place.getState();
    const settings = { ...this.place.getState().settings, ...(maxTokens ? { maxTokens } : {}) };
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
      if (response) await readBatches(response, this.services.nextFrame, (events) => this.take(active, events));
      if (active.billed || !isRunning(active.run)) return;
      if (this.place.getState().temporary || attempt >= RECONNECTS) throw connectionLost();
      await pause(RECONNECT_MS * 2 ** attempt, active.controller.signal);
      try {
        response = await resumeRun(this.services.api, active.run.runId, active.run.lastEventId, active.controller.signal);
      } catch (error) {
        if (!isApiError(error) || error.status !== 0) throw error;
        response = null;
      }
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
    const answer = this.place.getState().tree.nodes.get(active.messageId);
    const current = this.active === null || this.active === active;
    if (
      current &&
      conversationId &&
      conversationId !== this.place.getState().conversationId &&
      !this.place.getState().temporary
    ) {
      this.services.memory.write("system", conversationId, this.place.getState().system);
      this.services.memory.write("settings", conversationId, keptSettings(this.place.getState().settings));
      // From now on they are this chat's: the next new chat begins with none.
      this.services.memory.write("system", null, "");
      this.services.memory.write("settings", null, "");
      this.services.memory.adopt(conversationId);
      this.place.set({ conversationId });
      this.services.onConversation(conversationId);
    }
    if (userMessageId && answer?.parentId)
      this.place.set({ tree: renameNode(this.place.getState().tree, answer.parentId, userMessageId) });
    if (messageId && messageId !== active.messageId) {
      this.place.set({ tree: renameNode(this.place.getState().tree, active.messageId, messageId) });
      if (this.place.getState().tree.nodes.has(messageId)) active.messageId = messageId;
    }
    if (conversationId && isRunning(active.run) && active.remembered !== runId) {
      active.remembered = runId;
      if (!active.followed) this.services.onAsked();
      this.services.memory.write("run", conversationId, runId);
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
    this.place.set({ tree: removeNode(this.place.getState().tree, root), returned: isStored(user) ? null : draft });
  }

  /** Also called a second time, when the bill of a stopped answer has come. */
  private finish(active: ActiveRun): void {
    if (this.active === active) {
      this.active = null;
      if (this.place.getState().conversationId) this.services.memory.write("run", this.place.getState().conversationId, "");
      this.place.set({ run: null });
    }
    this.place.set({ tree: updateNode(this.place.getState().tree, active.messageId, fromRun(active.run)) });
    this.services.onSettled(active.run.balance);
  }

  /** After a reload: reattaches to an answer that is still being made. */
  resume(runId: string): void {
    const { conversationId, tree } = this.place.getState();
    if (!runId || !conversationId || this.active) return;
    const last = activePath(tree).at(-1);
    if (!last) return;
    let message = last;
    if (last.role === "user") {
      message = newMessage({ parentId: last.id, role: "assistant", status: "running" });
      this.place.set({ tree: addNode(tree, message) });
    }
    const active = this.activate(message, newRun(runId, message.model ?? ""));
    active.followed = true;
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
      this.services.memory.write("run", this.place.getState().conversationId, "");
      const tree = added ? removeNode(this.place.getState().tree, active.messageId) : this.place.getState().tree;
      this.place.set({ tree: settleInterrupted(tree, active.messageId), run: null });
    }
  }

  private publish(active: ActiveRun): void {
    if (this.active === active) this.place.set({ run: { key: active.key, run: active.run } });
  }
}

/** A message that the server still calls running although its run is gone was cut. */
function settleInterrupted(tree: Tree<ChatMessage>, id: string): Tree<ChatMessage> {
  const message = tree.nodes.get(id);
  return message?.status === "running" ? updateNode(tree, id, { status: message.content ? "cut" : "failed" }) : tree;
}

const newRunId = () => `run_${randomId()}`;
