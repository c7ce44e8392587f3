import { createRootRouteWithContext } from "@tanstack/react-router";
import type { RouterContext } from "@/app/router";
import { Shell } from "@/app/shell";

export const Route = createRootRouteWithContext<RouterContext>()({ component: Shell });
