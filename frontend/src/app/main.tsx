import { RouterProvider } from "@tanstack/react-router";
import { StrictMode, startTransition } from "react";
import { createRoot } from "react-dom/client";
import "@/app/styles.css";
import { appSearch, opensWorkbench } from "@/app/app-search";
import { keepByAccount } from "@/app/keep-by-account";
import { watchMissingParts } from "@/app/missing-part";
import { createAppRouter } from "@/app/router";
import { enterDemo, takeStart } from "@/app/start";
import { catchStrayDrops } from "@/app/stray-drops";
import { WorkspaceContext } from "@/app/workspace";
import { Workbench } from "@/features/workbench/workbench-store";
import { createBrowserHost } from "@/hosts/browser";
import type { Host } from "@/hosts/host";
import { createServices, ServicesProvider } from "@/shared/api/services";
import { ToastProvider } from "@/shared/ui/toast";

const root = document.getElementById("root");
if (!root) throw new Error("index.html lacks #root");

// Before the router reads the address.
const start = takeStart(window.location, window.history);
const browser = createBrowserHost();
const workbench = new Workbench(browser.shelf, browser.storage);
const host: Host = {
  ...browser,
  insertAtCursor: workbench.insertAtCursor,
  getSelection: workbench.getSelection,
  proposeEdit: workbench.proposeEdit,
};
const services = createServices(host);
const router = createAppRouter(services);
workbench.onNeedEditor = () => {
  void router.navigate({ to: "/", search: (before) => ({ ...before, pane: "editor" as const }) });
};
const asked = opensWorkbench(appSearch(Object.fromEntries(new URLSearchParams(window.location.search))));
const opens = services.session.token !== null || asked;
if (window.location.pathname === "/" && opens && window.matchMedia("(min-width: 768px)").matches) {
  // The workbench shows these at once where there is room: their code comes beside the page's own, not after it.
  void import("@/features/chat/AIAgentChat");
  void import("@/features/workbench/editor-pane");
  void import("@/features/workbench/code-editor");
}
const workspace = { workbench, searchRef: { current: null }, askToLeave: { current: null }, tourAsked: start.tour };
keepByAccount(services, workbench);
catchStrayDrops();
watchMissingParts();
if (start.code) void enterDemo(services, start.code);

const reactRoot = createRoot(root);
// As a transition, the first drawing is done in slices: the page answers to input meanwhile.
startTransition(() =>
  reactRoot.render(
    <StrictMode>
      <ServicesProvider services={services}>
        <WorkspaceContext.Provider value={workspace}>
          <ToastProvider>
            <RouterProvider router={router} />
          </ToastProvider>
        </WorkspaceContext.Provider>
      </ServicesProvider>
    </StrictMode>,
  ),
);
