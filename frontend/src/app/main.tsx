import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@/app/styles.css";
import { createAppRouter } from "@/app/router";
import { WorkspaceContext } from "@/app/workspace";
import { Workbench } from "@/features/workbench/workbench-store";
import { createBrowserHost } from "@/hosts/browser";
import type { Host } from "@/hosts/host";
import { createServices, ServicesProvider } from "@/shared/api/services";
import { ToastProvider } from "@/shared/ui/toast";

const root = document.getElementById("root");
if (!root) throw new Error("index.html lacks #root");

const browser = createBrowserHost();
const workbench = new Workbench(browser.storage);
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
const workspace = { workbench, searchRef: { current: null } };

createRoot(root).render(
  <StrictMode>
    <ServicesProvider services={services}>
      <WorkspaceContext.Provider value={workspace}>
        <ToastProvider>
          <RouterProvider router={router} />
        </ToastProvider>
      </WorkspaceContext.Provider>
    </ServicesProvider>
  </StrictMode>,
);
