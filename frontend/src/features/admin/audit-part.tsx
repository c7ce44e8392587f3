import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { moment } from "@/shared/lib/format";
import { saveFile } from "@/shared/lib/save-file";
import { Button } from "@/shared/ui/button";
import { Input } from "@/shared/ui/input";
import { auditFile, auditQuery } from "./admin-api";
import { Pages, Table } from "./table";

/** What administrators did, and why. */
export function AuditPart() {
  const api = useApi();
  const [act, setAct] = useState("");
  const [object, setObject] = useState("");
  const query = useInfiniteQuery(auditQuery(api, { act: act || undefined, object: object || undefined }));
  const lines = query.data?.pages.flatMap((page) => page.lines) ?? [];
  const save = async () => saveFile(await auditFile(api), "audit.csv");
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap gap-2">
        <Input
          aria-label="Act"
          placeholder="Act, for example credit"
          className="max-w-56"
          value={act}
          onChange={(e) => setAct(e.target.value)}
        />
        <Input
          aria-label="About"
          placeholder="About: a user's or an order's id"
          className="max-w-72"
          value={object}
          onChange={(e) => setObject(e.target.value)}
        />
        <Button onClick={() => void save()}>Save all as CSV</Button>
      </div>
      <Pages query={query}>
        <Table
          name="Audit log, newest first"
          columns={["No.", "When", "Who", "Act", "About", "Change", "Reason"]}
          rows={lines}
          keyOf={(line) => line.id}
          empty="Nothing was done yet."
          cells={(line) => [
            line.id,
            moment(line.at),
            <span key="who" className="text-xs break-all">
              {line.actor}
            </span>,
            line.act,
            <span key="about" className="text-xs break-all">
              {line.object}
            </span>,
            changeOf(line.before, line.after),
            line.reason,
          ]}
        />
      </Pages>
    </div>
  );
}

const words = (values: Record<string, unknown>) =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(", ");

function changeOf(before: Record<string, unknown>, after: Record<string, unknown>): string {
  return [words(before), words(after)].filter(Boolean).join(" → ");
}
