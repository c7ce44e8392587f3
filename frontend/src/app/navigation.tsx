import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "@tanstack/react-router";
import { Bot, CircleUser, CodeXml, Columns2, LayoutGrid, MessageSquare, Plug, ShieldUser, Workflow } from "lucide-react";
import type { AppSearch, Pane } from "@/app/app-search";
import { profileQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import { cn } from "@/shared/lib/cn";

const pages = [
  { to: "/", label: "Workbench", icon: CodeXml },
  { to: "/marketplace", label: "Marketplace", icon: LayoutGrid },
  { to: "/agents", label: "Agents", icon: Bot },
  { to: "/chat", label: "Chat", icon: MessageSquare },
  { to: "/compare", label: "Compare answers", icon: Columns2 },
  { to: "/runs", label: "Runs of agents", icon: Workflow },
  { to: "/account", label: "Account", icon: CircleUser },
  { to: "/connect", label: "Connect your editor", icon: Plug },
] as const;

const consolePage = { to: "/admin", label: "Administration", icon: ShieldUser } as const;

/** The icons at the left edge; on a phone the bottom bar stands in for it. */
export function ActivityBar() {
  const { token } = useSession();
  const profile = useQuery(profileQuery(useApi(), token)).data;
  const shown = profile?.role === "admin" ? [...pages, consolePage] : pages;
  return (
    <nav aria-label="Pages" className="flex w-12 shrink-0 flex-col border-r border-line bg-surface max-md:hidden">
      {shown.map(({ to, label, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          // Without a pane in the address a newcomer is shown the marketplace alone.
          search={to === "/" ? (before: AppSearch) => ({ ...before, pane: before.pane ?? ("editor" as const) }) : undefined}
          aria-label={label}
          title={label}
          activeOptions={{ exact: to === "/", includeSearch: false }}
          className="flex h-12 items-center justify-center border-l-2 border-transparent text-muted outline-offset-[-2px] hover:text-fg aria-[current=page]:border-focus aria-[current=page]:text-fg"
        >
          <Icon aria-hidden className="size-6" strokeWidth={1.5} />
        </Link>
      ))}
    </nav>
  );
}

const tabs: { pane: Pane; label: string; icon: typeof CodeXml }[] = [
  { pane: "editor", label: "Editor", icon: CodeXml },
  { pane: "market", label: "Marketplace", icon: LayoutGrid },
  { pane: "chat", label: "Chat", icon: MessageSquare },
];

/** Pages that show what a pane shows. */
const panesOfPages: Record<string, Pane | undefined> = { "/marketplace": "market", "/chat": "chat" };

/** A phone's navigation: the workbench's three panes and the account. */
export function BottomBar() {
  const { pathname, search } = useLocation();
  const pane = pathname === "/" ? ((search as { pane?: Pane }).pane ?? "market") : panesOfPages[pathname];
  const item = "flex min-h-12 flex-1 flex-col items-center justify-center gap-0.5 text-xs outline-offset-[-2px]";
  return (
    <nav
      aria-label="Panes"
      className="flex shrink-0 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {tabs.map(({ pane: target, label, icon: Icon }) => (
        <Link
          key={target}
          to="/"
          search={(before) => ({ ...before, pane: target })}
          activeOptions={{ exact: true, includeSearch: true }}
          aria-current={pane === target ? "page" : undefined}
          className={cn(item, pane === target ? "text-link" : "text-muted")}
        >
          <Icon aria-hidden className="size-5" />
          {label}
        </Link>
      ))}
      <Link to="/account" className={cn(item, pathname === "/account" ? "text-link" : "text-muted")}>
        <CircleUser aria-hidden className="size-5" />
        Account
      </Link>
    </nav>
  );
}
