import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "@tanstack/react-router";
import {
  Bot,
  CircleUser,
  CodeXml,
  Columns2,
  Ellipsis,
  LayoutGrid,
  MessageSquare,
  Plug,
  ShieldUser,
  Workflow,
} from "lucide-react";
import { useRef } from "react";
import type { AppSearch, Pane } from "@/app/app-search";
import { profileQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import { cn } from "@/shared/lib/cn";

const pages = [
  { to: "/", label: "Workbench", short: "Workbench", icon: CodeXml },
  { to: "/marketplace", label: "Marketplace", short: "Marketplace", icon: LayoutGrid },
  { to: "/agents", label: "Agents", short: "Agents", icon: Bot },
  { to: "/chat", label: "Chat", short: "Chat", icon: MessageSquare },
  { to: "/compare", label: "Compare answers", short: "Compare", icon: Columns2 },
  { to: "/runs", label: "Runs of agents", short: "Runs", icon: Workflow },
  { to: "/account", label: "Account", short: "Account", icon: CircleUser },
  { to: "/connect", label: "Connect your editor", short: "Connect", icon: Plug },
] as const;

const consolePage = { to: "/admin", label: "Admin console", short: "Admin", icon: ShieldUser } as const;

/** All pages that this reader may open. */
function usePages() {
  const { token } = useSession();
  const profile = useQuery(profileQuery(useApi(), token)).data;
  return profile?.role === "admin" ? [...pages, consolePage] : pages;
}

/** The pages at the left edge, with words where there is room; on a phone the bottom bar stands in for it. */
export function ActivityBar() {
  return (
    <nav
      aria-label="Pages"
      className="flex w-12 shrink-0 flex-col overflow-y-auto border-r border-line bg-surface max-md:hidden xl:w-20"
    >
      {usePages().map(({ to, label, short, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          // Without a pane in the address a newcomer is shown the marketplace alone.
          search={to === "/" ? (before: AppSearch) => ({ ...before, pane: before.pane ?? ("editor" as const) }) : undefined}
          aria-label={label}
          title={label}
          activeOptions={{ exact: to === "/", includeSearch: false }}
          className="flex h-12 shrink-0 flex-col items-center justify-center gap-0.5 border-l-2 xl:h-14 border-transparent text-muted outline-offset-[-2px] hover:text-fg aria-[current=page]:border-focus aria-[current=page]:text-fg"
        >
          <Icon aria-hidden className="size-6" strokeWidth={1.5} />
          {/* Where there is room, nobody has to guess what an icon stands for. */}
          <span className="text-[0.6875rem] max-xl:hidden">{short}</span>
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
      <MorePages className={item} />
    </nav>
  );
}

const inTheBar: readonly string[] = ["/", "/marketplace", "/chat", "/account"];

/** The pages that have no place of their own in a phone's bar: a popover of the browser's, which brings its keys along. */
function MorePages({ className }: { className: string }) {
  const list = useRef<HTMLDivElement>(null);
  const { pathname } = useLocation();
  const others = usePages().filter(({ to }) => !inTheBar.includes(to));
  return (
    <>
      <button
        type="button"
        popoverTarget="more-pages"
        className={cn(className, others.some(({ to }) => to === pathname) ? "text-link" : "text-muted")}
      >
        <Ellipsis aria-hidden className="size-5" />
        More
      </button>
      <div
        ref={list}
        id="more-pages"
        popover="auto"
        className="fixed inset-auto right-2 bottom-16 m-0 min-w-56 rounded-md border border-line bg-raised p-1 text-fg shadow-widget"
      >
        {others.map(({ to, label, icon: Icon }) => (
          <Link
            key={to}
            to={to}
            className="flex min-h-11 items-center gap-3 rounded px-3 text-sm outline-offset-[-2px] aria-[current=page]:text-link"
            onClick={() => list.current?.hidePopover()}
          >
            <Icon aria-hidden className="size-5 text-muted" />
            {label}
          </Link>
        ))}
      </div>
    </>
  );
}
