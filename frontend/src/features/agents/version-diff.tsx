import { useState } from "react";
import { day } from "@/shared/lib/format";
import { NativeSelect } from "@/shared/ui/input";
import type { Version } from "./agents-api";

/** Versions and what differs between two of them. */
export function VersionDiff({ versions }: { versions: readonly Version[] }) {
  const [older, setOlder] = useState(versions[1]?.version ?? versions[0]?.version ?? 1);
  const [newer, setNewer] = useState(versions[0]?.version ?? 1);
  const at = (number: number) => versions.find(({ version }) => version === number)?.spec;
  const [a, b] = [at(older), at(newer)];
  const names = a && b ? (Object.keys(b) as (keyof typeof b)[]).filter((n) => text(a[n]) !== text(b[n])) : [];
  if (versions.length < 2) return null;
  const pick = (label: string, value: number, set: (n: number) => void) => (
    <NativeSelect aria-label={label} value={value} onChange={({ target }) => set(Number(target.value))}>
      {versions.map(({ version, created_at, state }) => (
        <option key={version} value={version}>{`${version} · ${state} · ${day(created_at)}`}</option>
      ))}
    </NativeSelect>
  );
  return (
    <section aria-label="Versions" className="flex flex-col gap-2">
      <h2 className="font-semibold">Versions</h2>
      <div className="flex flex-wrap items-center gap-2 text-sm">
        From {pick("Older version", older, setOlder)} to {pick("Newer version", newer, setNewer)}
      </div>
      {names.length === 0 && <p className="text-sm text-muted">Nothing differs that can be shown.</p>}
      {names.map((name) => (
        <div key={name} className="text-sm">
          <h3 className="text-xs font-medium">{name.replaceAll("_", " ")}</h3>
          <del className="block whitespace-pre-wrap break-words no-underline before:content-['−_']">{text(a?.[name])}</del>
          <ins className="block whitespace-pre-wrap break-words no-underline before:content-['+_']">{text(b?.[name])}</ins>
        </div>
      ))}
    </section>
  );
}

const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value, null, 1));
