import { createRouter } from "@tanstack/react-router";
import { ErrorScreen, NotFoundScreen } from "@/app/error-screens";
import { routeTree } from "@/routeTree.gen";
import type { Services } from "@/shared/api/services";

export interface RouterContext {
  services: Services;
}

export function createAppRouter(services: Services) {
  return createRouter({
    routeTree,
    context: { services },
    defaultPreload: "intent",
    defaultErrorComponent: ErrorScreen,
    defaultNotFoundComponent: NotFoundScreen,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
