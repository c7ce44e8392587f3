import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { useApi, useSession } from "@/shared/api/services";
import { count } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { NativeSelect } from "@/shared/ui/input";
import { columnOf, type Field, type Filters, fields, periods, withoutValue, withValue } from "./filters";
import { fieldNames, useNames } from "./names";
import { usageQuery } from "./usage-api";

interface FilterBarProps {
  filters: Filters;
  onChange: (filters: Filters) => void;
  children?: ReactNode;
}

const periodNames: Record<number, string> = { 1: "Today", 7: "7 days", 30: "30 days", 90: "90 days", 365: "A year" };

/** Period, one menu a field with what was really used, and a chip for each value that is chosen. */
export function FilterBar({ filters, onChange, children }: FilterBarProps) {
  const name = useNames();
  const chips = fields.flatMap((field) => (filters.values[field] ?? []).map((value) => ({ field, value })));
  const choices = periods.some((days) => days === filters.days) ? periods : [...periods, filters.days];
  return (
    <search aria-label="Filters" className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-2">
        <NativeSelect
          aria-label="Period"
          value={filters.days}
          onChange={(event) => onChange({ ...filters, days: Number(event.target.value) })}
        >
          {choices.map((days) => (
            <option key={days} value={days}>
              {periodNames[days] ?? `${days} days`}
            </option>
          ))}
        </NativeSelect>
        {fields.map((field) => (
          <FieldMenu key={field} field={field} filters={filters} onChange={onChange} />
        ))}
        {children}
      </div>
      {chips.length > 0 && (
        <ul aria-label="Chosen filters" className="flex flex-wrap gap-1.5">
          {chips.map(({ field, value }) => (
            <li key={`${field}:${value}`}>
              <Button
                size="sm"
                aria-label={`Remove filter ${fieldNames[field]}: ${name(field, value)}`}
                onClick={() => onChange(withoutValue(filters, field, value))}
              >
                {fieldNames[field]}: {name(field, value)}
                <X aria-hidden />
              </Button>
            </li>
          ))}
          <li>
            <Button size="sm" variant="ghost" onClick={() => onChange({ ...filters, values: {} })}>
              Clear
            </Button>
          </li>
        </ul>
      )}
    </search>
  );
}

/** The values that calls of the period had, most used first: nothing can be chosen that finds nothing. */
function FieldMenu({ field, filters, onChange }: { field: Field; filters: Filters; onChange: (filters: Filters) => void }) {
  const api = useApi();
  const { token } = useSession();
  const name = useNames();
  const { [field]: chosen = [], ...others } = filters.values;
  const query = usageQuery(api, token, {
    metrics: ["requests"],
    by: [field],
    filters: { days: filters.days, values: others },
  });
  const rows = useQuery(query).data?.rows ?? [];
  const left = rows.filter((row) => !chosen.includes(row[columnOf[field]] ?? "none"));
  return (
    <NativeSelect
      aria-label={`${fieldNames[field]}: add a filter`}
      className="max-w-36"
      value=""
      disabled={left.length === 0}
      onChange={(event) => onChange(withValue(filters, field, event.target.value))}
    >
      <option value="">{fieldNames[field]}</option>
      {left.slice(0, 200).map((row) => (
        <option key={row[columnOf[field]] ?? "none"} value={row[columnOf[field]] ?? "none"}>
          {name(field, row[columnOf[field]])} ({count(row.requests ?? 0)})
        </option>
      ))}
    </NativeSelect>
  );
}
