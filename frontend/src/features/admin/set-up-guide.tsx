import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { useApi } from "@/shared/api/services";
import { count } from "@/shared/lib/format";
import { overviewQuery } from "./admin-api";
import { operatorProvidersQuery } from "./operating-api";

const YEAR = 366;
const WATCH_MS = 3000;

/** What a new server still needs. It watches for the first call, says when it has come, and is gone at the next visit. */
export function SetUpGuide() {
  const api = useApi();
  const watched = useRef(false);
  const calls = useQuery({
    ...overviewQuery(api, YEAR),
    refetchInterval: ({ state }) => (state.data?.requests ? false : WATCH_MS),
  }).data?.requests;
  const providers = useQuery(operatorProvidersQuery(api)).data?.providers;
  if (calls === 0) watched.current = true;
  if (calls === undefined || providers === undefined || !watched.current) return null;
  const ready = providers.filter((provider) => provider.configured && provider.models > 0);
  const steps: [boolean, string, string, string][] = [
    [
      ready.length > 0,
      ready.length > 0
        ? `Providers that can be called: ${ready.map(({ title }) => title).join(", ")}`
        : "Add a provider's key",
      "/admin?part=providers",
      "Providers",
    ],
    [
      calls > 0,
      calls > 0 ? `The first call has come (${count(calls)}): your server works` : "Waiting for the first call",
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
        .
      </p>
    </section>
  );
}
