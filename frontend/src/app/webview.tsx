import { useQuery } from "@tanstack/react-query";
import { lazy, StrictMode, Suspense, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import "@/app/styles.css";
import { agentsBeside } from "@/app/agents-strip-beside";
import { AIMarketplacePanel } from "@/features/marketplace/AIMarketplacePanel";
import { createWebviewHost, type WebviewHost } from "@/hosts/vscode-webview";
import { balanceQuery } from "@/shared/api/queries";
import { createServices, ServicesProvider, useApi, useSession } from "@/shared/api/services";
import { funds } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { ToastProvider } from "@/shared/ui/toast";

const LastCalls = lazy(() => import("@/app/webview-calls").then((module) => ({ default: module.LastCalls })));

/** The side bar of VS Code: the marketplace, what is left, and the receipts. The chat is the editor's own. */
function SideBar({ host }: { host: WebviewHost }) {
  const { token, prompt, session } = useSession();
  const balance = useQuery(balanceQuery(useApi(), token)).data;
  const [calls, setCalls] = useState(false);
  useEffect(() => {
    if (!prompt) return;
    // Keys of providers are typed into the page in the browser, and not into an editor.
    if (prompt.mode === "api-keys" && token) host.openLink("/account");
    else host.signIn();
    if (token) session.dismiss();
  }, [prompt, token, host, session]);
  return (
    <main className="flex h-full flex-col bg-surface">
      <p className="flex items-center gap-2 border-b border-line px-3 py-1.5">
        {token ? (
          <>
            <span className="min-w-0 flex-1 truncate">{balance && `${funds(balance.available)} to spend`}</span>
            <Button size="sm" onClick={() => setCalls(true)}>
              Receipts
            </Button>
            <Button size="sm" onClick={() => host.openLink("/account")}>
              Account
            </Button>
          </>
        ) : (
          <>
            <span className="min-w-0 flex-1">Look around; signing in brings the models into the chat.</span>
            <Button size="sm" variant="primary" onClick={host.signIn}>
              Sign in
            </Button>
          </>
        )}
      </p>
      <AIMarketplacePanel
        className="min-h-0 flex-1"
        onSelectModel={(model) => host.use(model.id)}
        beside={agentsBeside((at) => host.openLink(`/agents?at=${encodeURIComponent(at)}`))}
      />
      <Suspense fallback={null}>{calls && <LastCalls onClose={() => setCalls(false)} />}</Suspense>
    </main>
  );
}

const root = document.getElementById("root");
if (!root) throw new Error("the page lacks #root");
const host = createWebviewHost(root);
createRoot(root).render(
  <StrictMode>
    <ServicesProvider services={createServices(host)}>
      <ToastProvider>
        <SideBar host={host} />
      </ToastProvider>
    </ServicesProvider>
  </StrictMode>,
);
