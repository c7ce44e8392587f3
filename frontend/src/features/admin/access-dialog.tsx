import { useQuery } from "@tanstack/react-query";
import { useApi } from "@/shared/api/services";
import { moment } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { Skeleton } from "@/shared/ui/skeleton";
import type { Act } from "./act-dialog";
import { accessQuery, endSession, type Person, revokeKey } from "./admin-api";
import { Section, Table } from "./table";

/** Where somebody is signed in, and their keys: each ends by itself. No key's text is here. */
export function AccessDialog({
  person,
  onAct,
  onClose,
}: {
  person: Person;
  onAct: (act: Act) => void;
  onClose: () => void;
}) {
  const api = useApi();
  const setAct = (act: Act) => {
    onClose();
    onAct(act);
  };
  const found = useQuery(accessQuery(api, person.user_id)).data;
  return (
    <Dialog open onOpenChange={onClose} title={`Sessions and keys of ${person.email}`}>
      <DialogBody>
        {!found && <Skeleton className="h-40" />}
        {found && (
          <div className="flex flex-col gap-4">
            <Section title="Sessions">
              <Table
                name="Sessions"
                columns={["Since", "Until", "Act"]}
                rows={found.sessions}
                keyOf={(row) => row.id}
                empty="Signed in nowhere."
                cells={(row) => [
                  moment(row.created_at),
                  moment(row.expires_at),
                  <Button
                    key="act"
                    size="sm"
                    aria-label={`End the session since ${moment(row.created_at)}`}
                    onClick={() =>
                      setAct({
                        title: `End this session of ${person.email}?`,
                        button: "End the session",
                        danger: true,
                        run: ({ reason }) => endSession(api, person.user_id, row.id, reason),
                      })
                    }
                  >
                    End
                  </Button>,
                ]}
              />
            </Section>
            <Section title="Keys">
              <Table
                name="Keys"
                columns={["Name", "Key", "May", "Last used", "Act"]}
                rows={found.keys}
                keyOf={(row) => row.id}
                empty="No keys."
                cells={(row) => [
                  row.name,
                  row.prefix,
                  row.scopes.join(", "),
                  row.last_used_at ? moment(row.last_used_at) : "never",
                  <Button
                    key="act"
                    size="sm"
                    aria-label={`Revoke the key ${row.name}`}
                    onClick={() =>
                      setAct({
                        title: `Revoke the key “${row.name}” of ${person.email}?`,
                        words: "Programs that use it are refused at once, and answers that stream to it stop.",
                        button: "Revoke",
                        danger: true,
                        run: ({ reason }) => revokeKey(api, person.user_id, row.id, reason),
                      })
                    }
                  >
                    Revoke
                  </Button>,
                ]}
              />
            </Section>
          </div>
        )}
      </DialogBody>
    </Dialog>
  );
}
