import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useAgentsBeside } from "@/app/agents-beside";
import { type AppSearch, opensWorkbench } from "@/app/app-search";
import { PageTitle } from "@/app/page-title";
import { useChatDraft } from "@/app/use-chat-draft";
import { useMarketUrl } from "@/app/use-market-url";
import { useSelectedModel } from "@/app/use-selected-model";
import { useStartChat } from "@/app/use-start-chat";
import { useWorkspace } from "@/app/workspace";
import { AIMarketplacePanel } from "@/features/marketplace/AIMarketplacePanel";
import { WorkbenchLayout } from "@/features/workbench/workbench-layout";
import type { EditorSelection } from "@/hosts/host";
import { useHost, useSession } from "@/shared/api/services";
import { fenced } from "@/shared/lib/fence";
import { Skeleton } from "@/shared/ui/skeleton";

const AIAgentChat = lazy(() => import("@/features/chat/AIAgentChat").then((module) => ({ default: module.AIAgentChat })));
const EditorPane = lazy(() => import("@/features/workbench/editor-pane").then((module) => ({ default: module.EditorPane })));

/** A selection as a question begins: where it is from, and the code. */
function quoteSelection({ text, path, language, fromLine, toLine }: EditorSelection): string {
  const lines = fromLine === toLine ? `line ${fromLine}` : `lines ${fromLine}–${toLine}`;
  const code = fenced(text, language === "plaintext" ? "" : (language ?? ""));
  return `From \`${path ?? "the editor"}\`, ${lines}:\n\n${code}\n\n`;
}

/** Marketplace, editor and chat side by side. */
export function WorkbenchPage({ search }: { search: AppSearch }) {
  const navigate = useNavigate();
  const host = useHost();
  const { workbench, searchRef } = useWorkspace();
  const { state, change } = useMarketUrl(search, "/");
  const conversationId = search.chat ?? null;
  const addToDraft = useChatDraft(conversationId);
  const beside = useAgentsBeside();
  const start = useStartChat(conversationId);
  const selected = useSelectedModel(search.model);
  const viewed = useSelectedModel(state.view);
  const { token } = useSession();
  const [newcomer] = useState(token === null);
  const alone = newcomer && !opensWorkbench(search);
  const askAboutSelection = () => {
    const selection = workbench.getSelection();
    if (!selection) return;
    addToDraft(quoteSelection(selection));
    void navigate({ to: "/", search: (before) => ({ ...before, pane: "chat" as const }) });
  };
  return (
    <>
      <PageTitle>{viewed?.name ?? (alone ? "Start" : "Workbench")}</PageTitle>
      <h1 className="sr-only">{alone ? "AI Agent Marketplace" : "Workbench"}</h1>
      <WorkbenchLayout
        storage={host.storage}
        pane={search.pane ?? "market"}
        alone={alone}
        onPane={(pane) => void navigate({ to: "/", search: (before) => ({ ...before, pane }), replace: true })}
        editor={
          <Suspense fallback={null}>
            <EditorPane workbench={workbench} onAskAboutSelection={askAboutSelection} />
          </Suspense>
        }
        market={
          <AIMarketplacePanel
            state={state}
            onStateChange={change}
            onSelectModel={start}
            selectedModelId={search.model}
            searchRef={searchRef}
            welcome={alone}
            beside={beside}
          />
        }
        chat={
          <Suspense fallback={<ChatSkeleton />}>
            <AIAgentChat
              selectedModel={selected}
              conversationId={conversationId}
              onConversationChange={(chat) =>
                void navigate({ to: "/", search: (before) => ({ ...before, chat: chat ?? undefined }), replace: true })
              }
            />
          </Suspense>
        }
      />
    </>
  );
}

function ChatSkeleton() {
  return (
    <div aria-busy className="flex h-full flex-col gap-3 p-3">
      <Skeleton className="h-8 w-full" />
      <div className="flex-1" />
      <Skeleton className="h-20 w-full" />
    </div>
  );
}
