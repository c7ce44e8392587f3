import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@/app/styles.css";
import { createAppRouter } from "@/app/router";
import { createBrowserHost } from "@/hosts/browser";
import { createServices, ServicesProvider } from "@/shared/api/services";
import { ToastProvider } from "@/shared/ui/toast";

const root = document.getElementById("root");
if (!root) throw new Error("index.html lacks #root");

const services = createServices(createBrowserHost());

createRoot(root).render(
  <StrictMode>
    <ServicesProvider services={services}>
      <ToastProvider>
        <RouterProvider router={createAppRouter(services)} />
      </ToastProvider>
    </ServicesProvider>
  </StrictMode>,
);
