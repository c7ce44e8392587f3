import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { Banner } from "@/app/banner";
import { useShortcuts } from "@/app/keys";
import { ActivityBar, BottomBar } from "@/app/navigation";
import { TitleBar } from "@/app/title-bar";
import { useWorkspace } from "@/app/workspace";
import { useSession } from "@/shared/api/services";
import { useOnline } from "@/shared/lib/media";

const AIAuthModal = lazy(() => import("@/features/auth/AIAuthModal").then((module) => ({ default: module.AIAuthModal })));
const CommandPalette = lazy(() => import("@/app/command-palette").then((module) => ({ default: module.CommandPalette })));
const Tour = lazy(() => import("@/app/tour").then((module) => ({ default: module.Tour })));
const LeaveDialog = lazy(() => import("@/app/leave-dialog").then((module) => ({ default: module.LeaveDialog })));
const HelpDialog = lazy(() => import("@/app/help-dialog").then((module) => ({ default: module.HelpDialog })));

/** The frame round every page: title bar, navigation, sign-in dialog, palette, help. */
export function Shell() {
  const navigate = useNavigate();
  const { searchRef, askToLeave, tourAsked } = useWorkspace();
  const { session, prompt } = useSession();
  const [open, setOpen] = useState<"palette" | "help" | "leave" | null>(null);
  const [touring, setTouring] = useState(tourAsked);
  const online = useOnline();
  useEffect(() => {
    askToLeave.current = () => setOpen("leave");
    return () => {
      askToLeave.current = null;
    };
  }, [askToLeave]);
  const startTour = () => {
    setOpen(null);
    setTouring(true);
  };
  useShortcuts({
    palette: () => setOpen(open === "palette" ? null : "palette"),
    help: () => setOpen("help"),
    search: () => {
      if (searchRef.current?.offsetParent) return searchRef.current.focus();
      void navigate({ to: "/", search: (before) => ({ ...before, pane: "market" as const }) }).then(() =>
        requestAnimationFrame(() => searchRef.current?.focus()),
      );
    },
  });
  return (
    <div className="flex h-dvh flex-col overflow-hidden bg-editor text-fg">
      <Link
        to="/"
        hash="main"
        className="sr-only z-60 bg-accent px-3 py-2 text-accent-fg focus:not-sr-only focus:absolute"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        Skip to the content
      </Link>
      <TitleBar onPalette={() => setOpen("palette")} onHelp={() => setOpen("help")} />
      <Banner />
      {!online && (
        <p role="status" className="border-b border-line bg-raised px-3 py-1.5 text-center text-warning">
          You are offline. What is on the page stays, drafts are kept, and it goes on when the connection is back.
        </p>
      )}
      <div className="flex min-h-0 flex-1">
        <ActivityBar />
        <main id="main" tabIndex={-1} className="min-h-0 min-w-0 flex-1 outline-none">
          <Outlet />
        </main>
      </div>
      <BottomBar />
      <Suspense fallback={null}>
        {prompt && (
          <AIAuthModal
            isOpen
            onClose={() => session.dismiss()}
            onSuccess={(token) => session.signedIn(token)}
            initialMode={prompt.mode}
            reason={prompt.reason}
          />
        )}
        {open === "palette" && (
          <CommandPalette onClose={() => setOpen(null)} onHelp={() => setOpen("help")} onTour={startTour} />
        )}
        {open === "help" && <HelpDialog onClose={() => setOpen(null)} onTour={startTour} />}
        {open === "leave" && <LeaveDialog onClose={() => setOpen(null)} />}
        {touring && <Tour onClose={() => setTouring(false)} />}
      </Suspense>
    </div>
  );
}
