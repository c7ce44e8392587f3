import { useQuery } from "@tanstack/react-query";
import { listingsQuery } from "@/shared/api/queries";
import { useApi, withHost } from "@/shared/api/services";

const SHOWN = 3;

/** Agents that fit what is looked for, above the models; nothing where none does. */
function Strip({ q, onOpen }: { q: string; onOpen: (at: string) => void }) {
  const api = useApi();
  const found = useQuery({ ...listingsQuery(api, q, ""), enabled: q !== "" }).data?.listings ?? [];
  if (q === "" || found.length === 0) return null;
  return (
    <section aria-label="Agents that fit" className="flex flex-wrap items-baseline gap-x-3 gap-y-1 px-3 pb-2 text-sm">
      <h3 className="text-xs font-semibold tracking-wide uppercase">Agents</h3>
      {found.slice(0, SHOWN).map(({ agent, version }) => (
        <button
          key={agent.id}
          type="button"
          className="text-link underline"
          title={version.spec.summary}
          onClick={() => onOpen(`${agent.publisher}/${agent.slug}`)}
        >
          {version.spec.name}
        </button>
      ))}
      {found.length > SHOWN && <span className="text-xs text-muted">and {found.length - SHOWN} more</span>}
    </section>
  );
}

export const AgentsStrip = withHost(Strip);
