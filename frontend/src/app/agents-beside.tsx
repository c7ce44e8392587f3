import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { agentsBeside } from "@/app/agents-strip-beside";

/** The agents that fit a search; a click is their page. */
export function useAgentsBeside(): (q: string) => ReactNode {
  const navigate = useNavigate();
  return agentsBeside((at) => void navigate({ to: "/agents", search: { at } }));
}
