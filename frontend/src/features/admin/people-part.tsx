import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { day, funds } from "@/shared/lib/format";
import { randomId } from "@/shared/lib/random-id";
import { Button } from "@/shared/ui/button";
import { Input } from "@/shared/ui/input";
import { AccessDialog } from "./access-dialog";
import { type Act, ActDialog } from "./act-dialog";
import { giveCredit, type Person, peopleQuery, setRole, signOut, suspend, trust } from "./admin-api";
import { BulkActs } from "./bulk-acts";
import { CreditFields } from "./credit-fields";
import { HandedLink } from "./handed-link";
import { type LinkShown, makeResetLink } from "./mail-api";
import { Pages, Table } from "./table";

/** Everybody with an account. */
export function PeoplePart() {
  const api = useApi();
  const [words, setWords] = useState("");
  const [act, setAct] = useState<Act | null>(null);
  const [link, setLink] = useState<LinkShown | null>(null);
  const [access, setAccess] = useState<Person | null>(null);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const query = useInfiniteQuery(peopleQuery(api, words));
  const people = query.data?.pages.flatMap((page) => page.people) ?? [];
  return (
    <div className="flex flex-col gap-3">
      <Input
        aria-label="Find by address or id"
        placeholder="Address or id"
        className="max-w-sm"
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setChosen(new Set());
        }}
      />
      {chosen.size > 0 && (
        <BulkActs
          chosen={people.filter((person) => chosen.has(person.user_id))}
          onAct={setAct}
          onNone={() => setChosen(new Set())}
        />
      )}
      <Pages query={query}>
        <Table
          name="People"
          columns={["Chosen", "Address", "Role", "Balance", "Promotional of it", "Since", "Acts"]}
          rows={people}
          keyOf={(person) => person.user_id}
          empty="Nobody has such an address."
          cells={(person) => [
            <input
              key="chosen"
              type="checkbox"
              className="size-4 accent-accent"
              aria-label={`Choose ${person.email}`}
              checked={chosen.has(person.user_id)}
              onChange={(event) => {
                const next = new Set(chosen);
                if (event.target.checked) next.add(person.user_id);
                else next.delete(person.user_id);
                setChosen(next);
              }}
            />,
            person.email,
            [person.suspended_at ? "suspended" : person.role, person.trusted_at && "trusted"].filter(Boolean).join(", "),
            funds(person.balance),
            funds(person.promotional),
            day(person.created_at),
            <Acts key="acts" person={person} onAct={setAct} onLink={setLink} onAccess={setAccess} />,
          ]}
        />
      </Pages>
      {act && <ActDialog act={act} onClose={() => setAct(null)} />}
      {access && <AccessDialog person={access} onAct={setAct} onClose={() => setAccess(null)} />}
      {link && <HandedLink shown={link} onClose={() => setLink(null)} />}
    </div>
  );
}

interface ActsProps {
  person: Person;
  onAct: (act: Act) => void;
  onLink: (link: LinkShown) => void;
  onAccess: (person: Person) => void;
}

function Acts({ person, onAct, onLink, onAccess }: ActsProps) {
  const api = useApi();
  const role = person.role === "admin" ? "user" : "admin";
  return (
    <span className="flex flex-wrap gap-1">
      <Button
        size="sm"
        aria-label={`Give credit to ${person.email}`}
        onClick={() => {
          const key = randomId();
          onAct({
            title: `Give credit to ${person.email}`,
            button: "Give credit",
            password: true,
            fields: <CreditFields label="Dollars" />,
            run: ({ amount = "", gift, reason, password }) =>
              giveCredit(api, person.user_id, { amount, gift: gift === "on", reason, password, idempotency_key: key }),
          });
        }}
      >
        Credit
      </Button>
      <Button
        size="sm"
        aria-label={`Change the role of ${person.email}`}
        onClick={() =>
          onAct({
            title: role === "admin" ? `Make ${person.email} an administrator?` : `Make ${person.email} a plain user?`,
            button: role === "admin" ? "Make administrator" : "Make plain user",
            danger: true,
            password: true,
            run: ({ reason, password }) => setRole(api, person.user_id, { role, reason, password }),
          })
        }
      >
        Role
      </Button>
      <Button
        size="sm"
        aria-label={`Sign out ${person.email} everywhere`}
        onClick={() =>
          onAct({
            title: `Sign ${person.email} out everywhere?`,
            button: "Sign out",
            danger: true,
            run: ({ reason }) => signOut(api, person.user_id, reason),
          })
        }
      >
        Sign out
      </Button>
      <Button size="sm" aria-label={`Access of ${person.email}: sessions and keys`} onClick={() => onAccess(person)}>
        Access
      </Button>
      <Button
        size="sm"
        aria-label={`Reset link for ${person.email}`}
        onClick={() =>
          onAct({
            title: `Let ${person.email} choose a new password?`,
            words: "You get a link to hand on. It works once, for a day, and ends every session of the account.",
            button: "Make the link",
            password: true,
            run: async ({ reason, password }) => onLink(await makeResetLink(api, person.user_id, { reason, password })),
          })
        }
      >
        Reset link
      </Button>
      {person.role === "user" && <Trust person={person} onAct={onAct} />}
      {person.role === "user" && <Suspension person={person} onAct={onAct} />}
    </span>
  );
}

/** Administrators are trusted as they are. */
function Trust({ person, onAct }: Pick<ActsProps, "person" | "onAct">) {
  const api = useApi();
  const trusted = person.trusted_at === null;
  return (
    <Button
      size="sm"
      aria-label={`${trusted ? "Trust" : "Trust no longer"} ${person.email}`}
      onClick={() =>
        onAct({
          title: trusted ? `Trust ${person.email}?` : `Trust ${person.email} no longer?`,
          words:
            "Free calls and calls on own keys of a trusted account count in stars, votes and what is popular, like paid ones.",
          button: trusted ? "Trust" : "Trust no longer",
          run: ({ reason }) => trust(api, person.user_id, { trusted, reason }),
        })
      }
    >
      {trusted ? "Trust" : "Trust no longer"}
    </Button>
  );
}

function Suspension({ person, onAct }: Pick<ActsProps, "person" | "onAct">) {
  const api = useApi();
  const suspended = person.suspended_at === null;
  const word = suspended ? "Suspend" : "Let in";
  return (
    <Button
      size="sm"
      aria-label={`${word} ${person.email}`}
      onClick={() =>
        onAct({
          title: suspended ? `Suspend ${person.email}?` : `Let ${person.email} in again?`,
          words: suspended ? "Sessions end and keys are refused at once. The balance stays." : "Keys work again at once.",
          button: word,
          danger: suspended,
          run: ({ reason }) => suspend(api, { users: [person.user_id], suspended, reason }),
        })
      }
    >
      {word}
    </Button>
  );
}
