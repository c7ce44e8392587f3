import { count, moment, money } from "@/shared/lib/format";
import { Badge } from "@/shared/ui/badge";
import { Button } from "@/shared/ui/button";
import { PageLink } from "@/shared/ui/page-link";
import { lasted } from "@/shared/usage/durations";
import { type Field, type Filters, withValue } from "@/shared/usage/filters";
import { statusNames, useNames } from "@/shared/usage/names";
import type { ActivityCall } from "@/shared/usage/usage-api";

interface CallsTableProps {
  calls: readonly ActivityCall[];
  filters: Filters;
  onFilters: (filters: Filters) => void;
  onReceipt: (requestId: string) => void;
}

const columns = ["When", "Model", "By", "How it ended", "Input", "Output", "First word", "Took", "Cost"];
const numbers = new Set(columns.slice(4));

/** Newest first; each call opens its receipt, each name becomes a filter. */
export function CallsTable({ calls, ...more }: CallsTableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: where the table scrolls sideways, a keyboard must reach it.
    <section aria-label="Calls" tabIndex={0} className="overflow-x-auto">
      <table className="w-full text-left tabular-nums">
        <thead className="text-xs text-muted">
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" className={`py-1 pr-3 font-normal ${numbers.has(column) ? "text-right" : ""}`}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {calls.map((call) => (
            <Row key={call.request_id} call={call} {...more} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ call, filters, onFilters, onReceipt }: { call: ActivityCall } & Omit<CallsTableProps, "calls">) {
  const name = useNames();
  const only = (field: Field, value: string | null) => (
    <Button
      variant="link"
      size="sm"
      className="h-auto max-w-48 justify-start text-left whitespace-normal"
      aria-label={`Only ${name(field, value)}`}
      onClick={() => onFilters(withValue(filters, field, value ?? "none"))}
    >
      {name(field, value)}
    </Button>
  );
  return (
    <tr className="border-t border-line align-top">
      <td className="py-1.5 pr-3 whitespace-nowrap">
        <PageLink
          to={`/activity?receipt=${encodeURIComponent(call.request_id)}`}
          className="inline-flex min-h-6 items-center text-xs text-link hover:underline"
          aria-label={`Receipt of ${moment(call.at)}`}
          onFollow={() => onReceipt(call.request_id)}
        >
          <time dateTime={call.at}>{moment(call.at)}</time>
        </PageLink>
      </td>
      <td className="py-1.5 pr-3">
        {only("model", call.model)}
        <span className="block text-xs text-muted">
          {name("provider", call.provider)}
          {call.fallback ? ", in place of another" : ""}
          {call.own_key ? ", own key" : ""}
        </span>
      </td>
      <td className="py-1.5 pr-3">
        {only("key", call.key_id)}
        {call.agent_id && <span className="block text-xs">{only("agent", call.agent_id)}</span>}
      </td>
      <td className="min-w-40 py-1.5 pr-3">
        <Ending call={call} />
      </td>
      <td className="py-1.5 pr-3 text-right">
        {count(call.input_tokens)}
        {call.cached_tokens > 0 && <span className="block text-xs text-muted">{count(call.cached_tokens)} cached</span>}
      </td>
      <td className="py-1.5 pr-3 text-right">{count(call.output_tokens)}</td>
      <td className="py-1.5 pr-3 text-right">{lasted(call.first_token_ms)}</td>
      <td className="py-1.5 pr-3 text-right">{lasted(call.total_ms)}</td>
      <td className="py-1.5 text-right">{money(call.cost)}</td>
    </tr>
  );
}

const tones: Record<string, "success" | "warning" | "danger" | "neutral"> = {
  ok: "success",
  partial: "warning",
  failed: "danger",
  lost: "danger",
};

function Ending({ call: { status, error } }: { call: ActivityCall }) {
  return (
    <>
      <Badge tone={tones[status] ?? "neutral"}>{statusNames[status] ?? status}</Badge>
      {error && status !== "cancelled" && (
        <span className="block text-xs text-muted">
          {error.words}{" "}
          {error.fix && (
            <a href={error.fix.page} className="text-link underline">
              {error.fix.words}
            </a>
          )}
        </span>
      )}
    </>
  );
}
