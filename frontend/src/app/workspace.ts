import { createContext, useContext } from "react";
import type { Workbench } from "@/features/workbench/workbench-store";

/** What the app's own parts share besides the services: the editor's files and the way to the marketplace's search. */
export interface Workspace {
  workbench: Workbench;
  /** Set by the panel on the page, if there is one. */
  searchRef: { current: HTMLInputElement | null };
  /** Opens the question before a sign-out that would lose something; set by the shell. */
  askToLeave: { current: (() => void) | null };
  /** The address asked for the guided tour. */
  tourAsked: boolean;
}

export const WorkspaceContext = createContext<Workspace | null>(null);

export function useWorkspace(): Workspace {
  const workspace = useContext(WorkspaceContext);
  if (!workspace) throw new Error("The app must provide a workspace");
  return workspace;
}
