import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "@/shared/api/services";
import { moment } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Field, Input } from "@/shared/ui/input";
import { Notice } from "@/shared/ui/notice";
import { type Act, ActDialog } from "./act-dialog";
import { HandedLink } from "./handed-link";
import { type LinkShown, type Mail, type Outbox, outboxQuery, sendAgain, sendTest, showLink } from "./mail-api";
import { Pages, Table } from "./table";

const kinds: Record<string, string> = {
  confirm: "Confirm an address",
  reset: "Forgotten password",
  password: "Password changed",
  low_balance: "Low balance",
  receipt: "Receipt",
  cap: "Cap reached",
  refund: "Refund",
  dispute: "Disputed answer",
};
const states = { waiting: "waits", sent: "sent", failed: "failed", shown: "for you to hand on" };

/** What is mailed, what became of it, and links to hand on where there is no mail. */
export function MailPart() {
  const api = useApi();
  const [act, setAct] = useState<Act | null>(null);
  const [link, setLink] = useState<LinkShown | null>(null);
  const query = useInfiniteQuery(outboxQuery(api));
  const first = query.data?.pages[0];
  const mails = query.data?.pages.flatMap((page) => page.mails) ?? [];
  const showing = (mail: Mail): Act => ({
    title: `Show the link for ${mail.to}?`,
    words: "Whoever has it can act for this account once.",
    button: "Show it",
    password: true,
    run: async ({ reason, password }) => setLink(await showLink(api, mail.id, { reason, password })),
  });
  const again = (mail: Mail): Act => ({
    title: `Send it to ${mail.to} again?`,
    button: "Send again",
    run: ({ reason }) => sendAgain(api, mail.id, reason),
  });
  return (
    <div className="flex flex-col gap-4">
      {first && <State found={first} />}
      <Pages query={query}>
        <Table
          name="Mail"
          columns={["When", "What", "To", "State", "The mail server's words", "Acts"]}
          rows={mails}
          keyOf={(mail) => mail.id}
          empty={first?.mode === "none" ? "No link waits to be handed on." : "No mail was sent yet."}
          cells={(mail) => [
            moment(mail.created_at),
            kinds[mail.kind] ?? mail.kind,
            mail.to,
            mail.next_try_at && mail.attempts ? `waits until ${moment(mail.next_try_at)}` : states[mail.state],
            mail.words,
            <span key="acts" className="flex flex-wrap gap-1">
              {mail.link && (
                <Button size="sm" aria-label={`Show link for ${mail.to}`} onClick={() => setAct(showing(mail))}>
                  Show link
                </Button>
              )}
              {mail.state === "failed" && (
                <Button size="sm" aria-label={`Send again to ${mail.to}`} onClick={() => setAct(again(mail))}>
                  Send again
                </Button>
              )}
            </span>,
          ]}
        />
      </Pages>
      {act && <ActDialog act={act} onClose={() => setAct(null)} />}
      {link && <HandedLink shown={link} onClose={() => setLink(null)} />}
    </div>
  );
}

function State({ found }: { found: Outbox }) {
  const api = useApi();
  const test = useMutation({ mutationFn: (to: string) => sendTest(api, to) });
  if (found.mode === "none") {
    return (
      <Notice tone="warning" title="This server sends no mail">
        Links for people who forgot a password are listed here for you to hand on. To send mail, set MARKETPLACE_SMTP_URL,
        MARKETPLACE_MAIL_FROM and MARKETPLACE_SITE.
      </Notice>
    );
  }
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    test.mutate(String(new FormData(event.currentTarget).get("to")));
  };
  return (
    <form className="flex flex-wrap items-end gap-3" onSubmit={submit}>
      <p className="w-full">
        {found.mode === "console"
          ? "Mail goes to the server's log only."
          : `Mail is sent from ${found.sender ?? "no address"}.`}
      </p>
      <Field label="Send a test to" hint="Empty: to your own address.">
        {(control) => <Input {...control} name="to" type="email" maxLength={254} autoComplete="off" />}
      </Field>
      <Button type="submit" busy={test.isPending}>
        Send a test
      </Button>
      <p role="status" className={test.error ? "text-danger" : "text-muted"}>
        {test.error?.message ?? (test.data ? `The mail server took it, for ${test.data.to}.` : "")}
      </p>
    </form>
  );
}
