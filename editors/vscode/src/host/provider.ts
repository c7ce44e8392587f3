import * as vscode from "vscode";
import { type ChatEvent, type Part, roughTokens, streamChat, type Turn } from "../core/chat";
import { AUTO, agents, balance, editorReasons, favourites, models, type Offered, offered, onWire } from "../core/market";
import { type Act, actWords, told } from "../core/words";
import type { Account } from "./account";
import { settings } from "./account";
import { effortMenu, effortOf, imageOf, thinkingOf, thinkingPart, usagePart } from "./newer";
import type { Wallet } from "./wallet";

type Info = vscode.LanguageModelChatInformation;

/** The marketplace's models in the editor's own chat. */
export class Provider implements vscode.LanguageModelChatProvider<Info> {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeLanguageModelChatInformation = this.changed.event;

  /** Kept from one refresh to the next: the editor asks for its models far more often than Q Assistant's mind changes. */
  private reasons: Promise<ReadonlyMap<string, string> | undefined> | undefined;

  constructor(
    private readonly account: Account,
    private readonly wallet: Wallet,
  ) {}

  refresh(): void {
    this.reasons = undefined;
    this.changed.fire();
  }

  async provideLanguageModelChatInformation({ silent }: { silent: boolean }): Promise<Info[]> {
    if (!(await this.account.signedIn())) {
      if (silent || !(await this.account.signIn())) return [];
    }
    try {
      const { api } = this.account;
      this.reasons ??= editorReasons(api).catch(() => {
        this.reasons = undefined;
        return undefined;
      });
      const [all, starred, money, own, reasons] = await Promise.all([
        models(api),
        favourites(api),
        balance(api),
        // Neither is worth an empty picker.
        agents(api).catch(() => []),
        this.reasons,
      ]);
      const added = settings().get<string[]>("models", []);
      const wanted = { favourites: starred, added, available: money.available, reasons };
      return [...offered(all, wanted), ...own].map(infoOf);
    } catch (error) {
      if (!silent) void this.say(error);
      return [];
    }
  }

  async provideLanguageModelChatResponse(
    model: Info,
    messages: readonly vscode.LanguageModelChatRequestMessage[],
    options: vscode.ProvideLanguageModelChatResponseOptions,
    progress: vscode.Progress<vscode.LanguageModelResponsePart>,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const stop = new AbortController();
    const listening = token.onCancellationRequested(() => stop.abort());
    try {
      const request = {
        model: onWire(model.id),
        turns: messages.map(turnOf),
        tools: (options.tools ?? []).map((tool) => ({
          name: tool.name,
          description: tool.description,
          schema: tool.inputSchema,
        })),
        mustCall: options.toolMode === vscode.LanguageModelChatToolMode.Required,
        maxCost: this.wallet.maxCost(),
        options: { ...effortOf(options), ...options.modelOptions },
      };
      for await (const event of streamChat(this.account.api, request, stop.signal)) this.report(event, progress);
    } catch (error) {
      if (token.isCancellationRequested) return;
      throw await this.explained(error);
    } finally {
      listening.dispose();
      stop.abort();
    }
  }

  async provideTokenCount(_model: Info, text: string | vscode.LanguageModelChatRequestMessage): Promise<number> {
    if (typeof text === "string") return roughTokens(text);
    return turnOf(text).parts.reduce((sum, part) => sum + roughTokens(JSON.stringify(part)), 4);
  }

  private report(event: ChatEvent, progress: vscode.Progress<vscode.LanguageModelResponsePart>): void {
    const put = (part: object | null) => part && progress.report(part as vscode.LanguageModelResponsePart);
    if (event.kind === "text") put(new vscode.LanguageModelTextPart(event.text));
    else if (event.kind === "thinking") put(thinkingPart(event.text));
    else if (event.kind === "call") put(new vscode.LanguageModelToolCallPart(event.id, event.name, event.input));
    else {
      put(usagePart(event.usage.raw));
      this.wallet.spent(event.usage, event.requestId);
    }
  }

  /** The words stand in the chat; what to do is a button, which a chat's error can't have. */
  private async explained(error: unknown): Promise<Error> {
    const { words } = told(error);
    void this.say(error);
    const { status } = error as { status?: number };
    const refusal = status === 401 ? vscode.LanguageModelError.NoPermissions(words) : new Error(words);
    // The chat shows the stack beside the words, and nobody can do anything with it.
    refusal.stack = words;
    return refusal;
  }

  private async say(error: unknown): Promise<void> {
    const { words, act } = told(error);
    const chosen = await vscode.window.showWarningMessage(words, ...(act && act !== "retry" ? [actWords[act]] : []));
    if (chosen && act) await this.act(act);
  }

  private async act(act: Act): Promise<void> {
    if (act === "signIn") await this.account.signIn();
    else if (act === "topUp" || act === "raiseCap") await this.account.open("/account");
    else if (act === "offerModels") await vscode.commands.executeCommand("agentMarketplace.addModel");
  }
}

function infoOf(model: Offered): Info {
  const { price } = model;
  const info = {
    id: model.id,
    name: model.name,
    family: model.family,
    version: "1",
    detail: model.detail,
    tooltip: model.tooltip,
    maxInputTokens: model.input,
    maxOutputTokens: model.output,
    capabilities: { imageInput: model.images, toolCalling: model.tools },
    // Newer editors read these, older ones pass them over.
    isUserSelectable: true,
    isDefault: model.id === AUTO.id,
    maxContextWindowTokens: model.input + model.output,
    ...(price.input === undefined ? {} : { inputCost: price.input, outputCost: price.output, cacheCost: price.cacheRead }),
    ...(model.thinks ? { configurationSchema: effortMenu } : {}),
    ...(model.favourite
      ? { category: { label: "Favourites", order: 1 } }
      : { category: { label: "Marketplace", order: 2 } }),
  };
  return info;
}

function turnOf({ role, content }: vscode.LanguageModelChatRequestMessage): Turn {
  const names: Record<number, Turn["role"]> = {
    [vscode.LanguageModelChatMessageRole.User]: "user",
    [vscode.LanguageModelChatMessageRole.Assistant]: "assistant",
    3: "system",
  };
  return { role: names[role] ?? "user", parts: content.flatMap((part) => partOf(part) ?? []) };
}

function partOf(part: unknown): Part | null {
  if (part instanceof vscode.LanguageModelTextPart) return { kind: "text", text: part.value };
  if (part instanceof vscode.LanguageModelToolCallPart) {
    return { kind: "call", id: part.callId, name: part.name, input: part.input };
  }
  if (part instanceof vscode.LanguageModelToolResultPart) {
    return { kind: "result", id: part.callId, text: part.content.map(resultText).join("") };
  }
  const thinking = thinkingOf(part);
  if (thinking !== null) return { kind: "thinking", text: thinking };
  const image = imageOf(part);
  return image && { kind: "image", ...image };
}

function resultText(part: unknown): string {
  if (part instanceof vscode.LanguageModelTextPart) return part.value;
  if (part instanceof vscode.LanguageModelPromptTsxPart) return JSON.stringify(part.value);
  const image = imageOf(part);
  return image ? "[a picture]" : "";
}
