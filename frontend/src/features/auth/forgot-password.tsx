import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { Field, Input } from "@/shared/ui/input";
import { Notice } from "@/shared/ui/notice";
import { forgotPassword } from "./auth-api";

/** Asks for a link to choose a new password. The answer is the same whether or not the address has an account. */
export function ForgotPassword({ mail, onBack }: { mail: boolean; onBack: () => void }) {
  const api = useApi();
  const [email, setEmail] = useState("");
  const ask = useMutation({ mutationFn: () => forgotPassword(api, email) });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    ask.mutate();
  };
  const back = <Button onClick={onBack}>Back to sign in</Button>;
  if (ask.isSuccess) {
    return (
      <Notice
        className="mt-3"
        title={mail ? "If this address has an account, a link is on its way to it." : "Whoever runs this server sees it."}
        actions={back}
      >
        {mail
          ? "The link works once, for an hour."
          : "This server sends no mail: ask its administrator for the link to choose a new password."}
      </Notice>
    );
  }
  return (
    <form className="flex flex-col gap-3 pt-3" onSubmit={submit}>
      <Field label="Email of your account" error={ask.error?.message}>
        {(control) => (
          <Input
            {...control}
            name="email"
            type="email"
            autoComplete="username"
            required
            maxLength={254}
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        )}
      </Field>
      <div className="flex flex-wrap gap-2">
        <Button type="submit" variant="primary" busy={ask.isPending}>
          Send me a link
        </Button>
        {back}
      </div>
    </form>
  );
}
