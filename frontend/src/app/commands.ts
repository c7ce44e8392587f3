import { useNavigate } from "@tanstack/react-router";
import {
  Bot,
  CircleHelp,
  CircleUser,
  CodeXml,
  Columns2,
  Contrast,
  FilePlus2,
  FileSpreadsheet,
  FolderOpen,
  KeyRound,
  LayoutGrid,
  LogIn,
  LogOut,
  type LucideIcon,
  MessageSquare,
  Plug,
  Route,
  Save,
  ShieldCheck,
  Trophy,
  Workflow,
} from "lucide-react";
import { useLeave } from "@/app/leave-dialog";
import { themeOptions } from "@/app/title-bar";
import { useWorkspace } from "@/app/workspace";
import { tourFinished } from "@/features/tour/tour-memory";
import { useFileActions } from "@/features/workbench/editor-pane";
import { useHost, useSession } from "@/shared/api/services";

export interface PaletteCommand {
  id: string;
  label: string;
  /** More words to find it by. */
  words?: string;
  icon: LucideIcon;
  run: () => void;
}

/** Every command of the palette, as data. */
export function useCommands({ onHelp, onTour }: { onHelp: () => void; onTour: () => void }): PaletteCommand[] {
  const navigate = useNavigate();
  const { workbench } = useWorkspace();
  const files = useFileActions(workbench);
  const { theme, storage } = useHost();
  const { session, token } = useSession();
  const leave = useLeave();
  const toEditor = (act: () => void) => {
    void navigate({ to: "/", search: (before) => ({ ...before, pane: "editor" as const }) });
    act();
  };
  return [
    { id: "open", label: "Open files from disk", icon: FolderOpen, run: () => toEditor(() => void files.open()) },
    { id: "new", label: "New scratch file", icon: FilePlus2, run: () => toEditor(() => workbench.newScratch()) },
    { id: "save", label: "Save to disk", icon: Save, run: () => toEditor(() => void files.save()) },
    { id: "workbench", label: "Go to the workbench", words: "editor", icon: CodeXml, run: () => void navigate({ to: "/" }) },
    {
      id: "marketplace",
      label: "Go to the marketplace",
      words: "models",
      icon: LayoutGrid,
      run: () => void navigate({ to: "/marketplace" }),
    },
    {
      id: "chat",
      label: "Go to the chats",
      words: "history",
      icon: MessageSquare,
      run: () => void navigate({ to: "/chat" }),
    },
    {
      id: "compare",
      label: "Compare answers",
      words: "side by side blind vote arena",
      icon: Columns2,
      run: () => void navigate({ to: "/compare" }),
    },
    {
      id: "evaluations",
      label: "Go to evaluations",
      words: "file of prompts CSV budget test set benchmark",
      icon: FileSpreadsheet,
      run: () => void navigate({ to: "/evaluations" }),
    },
    {
      id: "agents",
      label: "Go to agents",
      words: "find publish build install author",
      icon: Bot,
      run: () => void navigate({ to: "/agents" }),
    },
    {
      id: "leaderboard",
      label: "Go to the leaderboard",
      words: "votes arena rank",
      icon: Trophy,
      run: () => void navigate({ to: "/leaderboard" }),
    },
    {
      id: "runs",
      label: "Go to the runs of agents",
      words: "approvals inbox steps receipt",
      icon: Workflow,
      run: () => void navigate({ to: "/runs" }),
    },
    {
      id: "account",
      label: "Go to the account",
      words: "balance usage statement",
      icon: CircleUser,
      run: () => void navigate({ to: "/account" }),
    },
    {
      id: "admin",
      label: "Go to the administration",
      words: "operator people payments audit refund codes",
      icon: ShieldCheck,
      run: () => void navigate({ to: "/admin" }),
    },
    {
      id: "connect",
      label: "Connect your editor",
      words: "continue cline aider zed",
      icon: Plug,
      run: () => void navigate({ to: "/connect" }),
    },
    {
      id: "keys",
      label: "Manage API keys",
      words: "provider",
      icon: KeyRound,
      run: () => void session.require("asked", "api-keys"),
    },
    token
      ? { id: "signout", label: "Sign out", icon: LogOut, run: leave }
      : { id: "signin", label: "Sign in", icon: LogIn, run: () => void session.require("asked") },
    ...themeOptions.map((option) => ({
      id: `theme-${option.value}`,
      label: `Theme: ${option.label}`,
      words: "colour color",
      icon: Contrast,
      run: () => theme.choose?.(option.value),
    })),
    {
      id: "tour",
      label: tourFinished(storage) ? "Take the tour again" : "Start the tour",
      words: "guide help learn",
      icon: Route,
      run: onTour,
    },
    { id: "help", label: "Keyboard help", icon: CircleHelp, run: onHelp },
  ];
}
