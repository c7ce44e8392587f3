import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { useApi, useSession, withHost } from "@/shared/api/services";
import { funds } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Field, Input } from "@/shared/ui/input";
import { Notice } from "@/shared/ui/notice";
import { confirmAddress, resetPassword } from "./auth-api";

/** The token behind `#`, which leaves the address bar at once: no history and no picture of the screen keeps it. */
function useToken(): string {
  const [token] = useState(() => location.hash.slice(1));
  useEffect(() => history.replaceState(history.state, "", location.pathname), []);
  return token;
}

/** Where a link leads that was sent to somebody who forgot a password. */
function Reset() {
  const api = useApi();
  const { session } = useSession();
  const token = useToken();
  const [problem, setProblem] = useState<string>();
  const reset = useMutation({
    mutationFn: (values: { password: string; revokeKeys: boolean }) => resetPassword(api, token, values),
    onSuccess: () => session.signedOut(),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const password = String(fields.get("password"));
    const same = password === fields.get("confirmation");
    setProblem(same ? undefined : "The two passwords differ.");
    if (same) reset.mutate({ password, revokeKeys: fields.has("revoke") });
  };
  if (reset.isSuccess) {
    return (
      <Frame title="Choose a new password">
        <Notice
          title="Your new password is set."
          actions={
            <Button variant="primary" onClick={() => void session.require("asked")}>
              Sign in
            </Button>
          }
        >
          Every session of your account was ended.
        </Notice>
      </Frame>
    );
  }
  return (
    <Frame title="Choose a new password">
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <Field label="New password" hint="At least 8 characters." error={reset.error?.message}>
          {(control) => <Input {...control} name="password" type="password" autoComplete="new-password" required />}
        </Field>
        <Field label="New password again" error={problem}>
          {(control) => <Input {...control} name="confirmation" type="password" autoComplete="new-password" required />}
        </Field>
        <label className="flex items-center gap-2">
          <input type="checkbox" name="revoke" className="size-4 accent-accent" />
          End my marketplace keys, too: somebody else may have used my account
        </label>
        <div>
          <Button type="submit" variant="primary" busy={reset.isPending}>
            Set it
          </Button>
        </div>
      </form>
    </Frame>
  );
}

/** Where a link leads that confirms an address. A click confirms, so that a program that only follows links does not. */
function Confirm() {
  const api = useApi();
  const token = useToken();
  const confirm = useMutation({ mutationFn: () => confirmAddress(api, token) });
  return (
    <Frame title="Confirm your address">
      {confirm.isSuccess ? (
        <Notice title="Your address is confirmed.">
          {confirm.data.credit > 0 ? `${funds(confirm.data.credit)} of credit is in your balance.` : ""}
        </Notice>
      ) : (
        <>
          <p>One click, and your account has its sign-up credit.</p>
          {confirm.error && (
            <p role="alert" className="text-danger">
              {confirm.error.message}
            </p>
          )}
          <div>
            <Button variant="primary" busy={confirm.isPending} onClick={() => confirm.mutate()}>
              Confirm my address
            </Button>
          </div>
        </>
      )}
    </Frame>
  );
}

function Frame({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex w-full max-w-xl flex-col gap-5 p-4 sm:p-6">
        <h1 className="text-xl font-semibold">{title}</h1>
        {children}
      </div>
    </div>
  );
}

export const ResetPage = withHost(Reset);
export const ConfirmPage = withHost(Confirm);
