import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useApi, useHost } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { overviewQuery } from "./admin-api";
import { type OperatorProvider, operatorProvidersQuery, settingsQuery } from "./operating-api";

const YEAR = 366;
const WATCH_MS = 3000;
const HIDDEN = "marketplace.admin.set-up-hidden";
/** The small model that runs inside: it answers newcomers, and is no provider that anybody sets up. */
const DEMO = "local";

const ways = { transfer: "bank transfer", webhook: "your own page", stripe: "card" } as const;

/** What a new server still needs. It watches for the first call to a real provider, says when it has come, and is gone at the next visit. */
export function SetUpGuide() {
  const api = useApi();
  const { storage } = useHost();
  const watched = useRef(false);
  const [hidden, setHidden] = useState(() => storage.getItem(HIDDEN) !== null);
  const providers = useQuery({
    ...operatorProvidersQuery(api),
    refetchInterval: ({ state }) => (state.data?.providers.some(called) ? false : WATCH_MS),
    enabled: !hidden,
  }).data?.providers;
  const settings = useQuery({ ...settingsQuery(api), enabled: !hidden }).data;
  const spent = useQuery({ ...overviewQuery(api, YEAR), enabled: !hidden }).data?.provider_cost;
  if (hidden || providers === undefined || spent === undefined || settings === undefined) return null;
  const ready = providers.filter(({ name, configured, models }) => name !== DEMO && configured && models > 0);
  const came = spent > 0 || providers.some(called);
  if (!came) watched.current = true;
  if (!watched.current) return null;
  const steps: [boolean, string, string, string][] = [
    [
      ready.length > 0,
      ready.length > 0
        ? `Providers that can be called: ${ready.map(({ title }) => title).join(", ")}`
        : "Add a provider's key: until then there is the demo model alone",
      "/admin?part=providers",
      "Providers",
    ],
    [
      settings.methods.length > 0,
      settings.methods.length > 0
        ? `People add credit by: ${settings.methods.map((method) => ways[method]).join(", ")}`
        : "Say how people pay you: Bank transfers in Settings, or codes. Cards need STRIPE_SECRET_KEY in the environment",
      "/admin?part=settings",
      "Settings",
    ],
    [
      came,
      came ? "The first call to a provider has come: your server works" : "Waiting for the first call to a provider",
      "/chat",
      "Ask something",
    ],
  ];
  return (
    <section aria-label="Set up" className="rounded-lg border border-line bg-surface p-4">
      <h2 className="mb-1 text-base font-semibold">Set up</h2>
      <ol className="list-decimal pl-5" aria-live="polite">
        {steps.map(([done, words, href, link]) => (
          <li key={href}>
            {done ? "Done: " : ""}
            {words}.{" "}
            <a className="text-link underline" href={href}>
              {link}
            </a>
          </li>
        ))}
      </ol>
      <p className="mt-1 text-muted">
        Who may sign up, and with how much credit, is under{" "}
        <a className="text-link underline" href="/admin?part=settings">
          Settings
        </a>
        .{" "}
        <Button
          size="sm"
          onClick={() => {
            storage.setItem(HIDDEN, "1");
            setHidden(true);
          }}
        >
          Hide this
        </Button>
      </p>
    </section>
  );
}

function called({ name, calls }: OperatorProvider): boolean {
  return name !== DEMO && calls > 0;
}
