import { useApi } from "@/shared/api/services";
import { count } from "@/shared/lib/format";
import { randomId } from "@/shared/lib/random-id";
import { Button } from "@/shared/ui/button";
import type { Act } from "./act-dialog";
import { giveCredits, type Person, suspend } from "./admin-api";
import { CreditFields } from "./credit-fields";

/** What is done to everybody who is chosen: all of them or none. */
export function BulkActs({ chosen, onAct, onNone }: { chosen: Person[]; onAct: (act: Act) => void; onNone: () => void }) {
  const api = useApi();
  const users = chosen.map((person) => person.user_id);
  const people = `${count(users.length)} ${users.length === 1 ? "account" : "accounts"}`;
  const credit = () => {
    const key = randomId();
    onAct({
      title: `Give credit to ${people}`,
      words: chosen.map((person) => person.email).join(", "),
      button: "Give credit",
      password: true,
      fields: <CreditFields label="Dollars each" />,
      run: async ({ amount = "", gift, reason, password }) => {
        await giveCredits(api, { users, amount, gift: gift === "on", reason, password, idempotency_key: key });
        onNone();
      },
    });
  };
  const stop = (suspended: boolean) =>
    onAct({
      title: suspended ? `Suspend ${people}?` : `Let ${people} in again?`,
      words: chosen.map((person) => person.email).join(", "),
      button: suspended ? "Suspend" : "Let in",
      danger: suspended,
      run: async ({ reason }) => {
        await suspend(api, { users, suspended, reason });
        onNone();
      },
    });
  return (
    <section aria-label="Chosen accounts" className="flex flex-wrap items-center gap-2">
      <span role="status">{people} chosen</span>
      <Button size="sm" onClick={credit}>
        Give credit to all
      </Button>
      <Button size="sm" onClick={() => stop(true)}>
        Suspend all
      </Button>
      <Button size="sm" onClick={() => stop(false)}>
        Let all in
      </Button>
      <Button size="sm" onClick={onNone}>
        Choose none
      </Button>
    </section>
  );
}
