import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId } from "react";
import { useApi, useSession } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { Field, Input } from "@/shared/ui/input";
import { Notice } from "@/shared/ui/notice";
import { confirmAgain, noticesQuery, setNotices } from "./account-api";
import { Section } from "./section";

/** What one is told by mail: a balance below an amount of one's own choice. */
export function NoticesSection() {
  const api = useApi();
  const { token } = useSession();
  const client = useQueryClient();
  const told = useId();
  const query = noticesQuery(api, token);
  const found = useQuery(query).data;
  const save = useMutation({
    mutationFn: (low: string) => setNotices(api, low),
    onSuccess: (next) => client.setQueryData(query.queryKey, next),
  });
  if (!found) return null;
  if (!found.mail) {
    return (
      <Section title="Told by mail">
        <p className="text-muted">This server sends no mail.</p>
      </Section>
    );
  }
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(String(new FormData(event.currentTarget).get("low")));
  };
  return (
    <Section title="Told by mail">
      <form className="flex flex-wrap items-end gap-3" onSubmit={submit}>
        <Field label="Tell me when less than so many dollars are left" hint="Empty: never." error={save.error?.message}>
          {(control) => (
            <Input
              {...control}
              className="w-32"
              name="low"
              inputMode="decimal"
              pattern="\d+(\.\d{1,2})?"
              autoComplete="off"
              defaultValue={found.low_balance ?? ""}
            />
          )}
        </Field>
        <Button type="submit" busy={save.isPending} aria-describedby={told}>
          Save
        </Button>
        <p id={told} role="status" className="text-muted">
          {save.isSuccess ? "Saved." : ""}
        </p>
      </form>
      <p className="mt-2 text-muted">Receipts, refunds and caps of your keys that are reached are always told.</p>
    </Section>
  );
}

/** Where the sign-up credit waits: an address that is not confirmed, with another link to confirm it. */
export function ConfirmNotice() {
  const api = useApi();
  const { token } = useSession();
  const found = useQuery(noticesQuery(api, token)).data;
  const again = useMutation({ mutationFn: () => confirmAgain(api) });
  if (!found?.unconfirmed) return null;
  if (!found.mail) {
    return (
      <Notice tone="warning" title="Your address is not confirmed">
        Your sign-up credit comes once it is: ask whoever runs this server for the link.
      </Notice>
    );
  }
  const said = again.data?.sent
    ? "The link was sent: look into your mail."
    : "A link was sent within the hour: look into your mail, also among the unwanted.";
  return (
    <Notice
      tone="warning"
      title="Your address is not confirmed"
      actions={
        !again.isSuccess && (
          <Button busy={again.isPending} onClick={() => again.mutate()}>
            Send the link again
          </Button>
        )
      }
    >
      {again.error?.message ??
        (again.isSuccess ? said : "Your sign-up credit comes once you follow the link that was mailed to you.")}
    </Notice>
  );
}
