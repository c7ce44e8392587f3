import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleHelp, Contrast, LogIn, Search, Wallet } from "lucide-react";
import { lazy, Suspense, useState, useSyncExternalStore } from "react";
import { modifier } from "@/app/keys";
import type { ThemeChoice } from "@/hosts/host";
import { balanceQuery } from "@/shared/api/queries";
import { useApi, useHost, useSession } from "@/shared/api/services";
import { funds } from "@/shared/lib/format";
import { Button, IconButton } from "@/shared/ui/button";

const Menu = lazy(() => import("@/shared/ui/menu").then((module) => ({ default: module.Menu })));
const MenuRadioGroup = lazy(() =>
  import("@/shared/ui/menu").then((module) => ({ default: module.MenuRadioGroup<ThemeChoice> })),
);

export const themeOptions: readonly { value: ThemeChoice; label: string }[] = [
  { value: "system", label: "Like the system" },
  { value: "dark", label: "Dark" },
  { value: "light", label: "Light" },
  { value: "hc-dark", label: "High contrast, dark" },
  { value: "hc-light", label: "High contrast, light" },
];

export function TitleBar({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }) {
  return (
    <header className="flex h-10 shrink-0 items-center gap-2 border-b border-line bg-surface px-2 pointer-coarse:h-12">
      <Link to="/" className="flex items-center gap-2 rounded px-1 font-semibold" aria-label="AI Agent Marketplace, start">
        <img src="/favicon.svg" alt="" width={20} height={20} className="size-5 shrink-0 max-w-none" />
        <span className="max-lg:hidden">AI Agent Marketplace</span>
      </Link>
      <button
        type="button"
        onClick={onPalette}
        aria-keyshortcuts="Control+K Meta+K"
        className="mx-auto flex h-7 w-full max-w-lg min-w-0 items-center justify-center gap-2 rounded-md border border-input-line bg-input px-2 text-muted hover:text-fg pointer-coarse:h-11"
      >
        <Search aria-hidden className="size-3.5 shrink-0" />
        <span className="truncate">Find a model or a command</span>
        <kbd className="ml-1 rounded border border-line px-1 font-sans text-xs max-sm:hidden">{modifier}K</kbd>
      </button>
      <IconButton label="Keyboard help" onClick={onHelp} className="max-sm:hidden">
        <CircleHelp aria-hidden />
      </IconButton>
      <ThemeMenu />
      <AccountButton />
    </header>
  );
}

/** The menu's code comes with the first click on it. */
function ThemeMenu() {
  const { theme } = useHost();
  const choice = useSyncExternalStore(theme.subscribe, theme.choice);
  const [wanted, setWanted] = useState(false);
  const { choose } = theme;
  if (!choose) return null;
  const icon = <Contrast aria-hidden />;
  const button = (
    <IconButton label="Theme" aria-haspopup="menu" onClick={() => setWanted(true)}>
      {icon}
    </IconButton>
  );
  if (!wanted) return button;
  return (
    <Suspense fallback={button}>
      <Menu trigger={<IconButton label="Theme">{icon}</IconButton>} defaultOpen>
        <MenuRadioGroup label="Theme" value={choice} options={themeOptions} onChange={choose} />
      </Menu>
    </Suspense>
  );
}

/** The live balance, or the way in. */
function AccountButton() {
  const api = useApi();
  const { token, session, expired } = useSession();
  const { data } = useQuery(balanceQuery(api, token));
  if (!token) {
    return (
      <Button variant="primary" size="sm" onClick={() => void session.require(expired ? "expired" : "asked")}>
        <LogIn aria-hidden className="size-3.5!" />
        Sign in
      </Button>
    );
  }
  return (
    <Link
      to="/account"
      className="flex h-7 min-w-20 items-center justify-center gap-1.5 rounded border border-line px-2 tabular-nums hover:bg-hover pointer-coarse:h-11"
      aria-label={data ? `Balance ${funds(data.available)}, account` : "Account"}
    >
      <Wallet aria-hidden className="size-4" />
      {data ? funds(data.available) : "…"}
    </Link>
  );
}
