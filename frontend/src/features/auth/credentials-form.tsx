import { type FormEvent, type ReactNode, type RefObject, useState } from "react";
import { isApiError } from "@/shared/api/errors";
import { useApi } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { Field, Input } from "@/shared/ui/input";
import { type SignedIn, signIn, signUp } from "./auth-api";
import { type FieldErrors, fieldOfCode, validateSignIn, validateSignUp } from "./validate";

export interface CredentialsFormProps {
  mode: "signin" | "signup";
  onSignedIn: (session: SignedIn, email: string) => void;
  children?: ReactNode;
  emailField?: RefObject<HTMLInputElement | null>;
}

/** A real form with the names and hints that password managers look for; every error stands at its field. */
export function CredentialsForm({ mode, onSignedIn, children, emailField }: CredentialsFormProps) {
  const api = useApi();
  const [errors, setErrors] = useState<FieldErrors>({});
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(false);
  const up = mode === "signup";
  const passwordType = shown ? "text" : "password";

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const [email, password, confirmation] = ["email", "password", "confirmation"].map((name) =>
      String(fields.get(name) ?? ""),
    );
    const entered = { email: email ?? "", password: password ?? "", confirmation: confirmation ?? "" };
    const found = up ? validateSignUp(entered) : validateSignIn(entered);
    show(form, found, null);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    try {
      onSignedIn(await (up ? signUp : signIn)(api, entered), entered.email.trim());
    } catch (error) {
      const words = isApiError(error) ? error.message : "Something went wrong. Try again.";
      const field = isApiError(error) ? fieldOfCode(error.code) : null;
      show(form, field ? { [field]: words } : {}, field ? null : words);
    } finally {
      setBusy(false);
    }
  };
  const show = (form: HTMLFormElement, found: FieldErrors, whole: string | null) => {
    setErrors(found);
    setProblem(whole);
    const first = (["email", "password", "confirmation"] as const).find((name) => found[name]);
    if (first) form.querySelector<HTMLInputElement>(`[name=${first}]`)?.focus();
  };

  return (
    <form method="post" noValidate className="flex flex-col gap-3 pt-3" onSubmit={(event) => void submit(event)}>
      {problem && (
        <p role="alert" className="rounded border border-danger px-3 py-2 text-danger">
          {problem}
        </p>
      )}
      <Field label="Email" error={errors.email}>
        {(control) => (
          <Input
            {...control}
            ref={emailField}
            name="email"
            type="email"
            autoComplete="username"
            inputMode="email"
            required
            spellCheck={false}
          />
        )}
      </Field>
      <Field label="Password" error={errors.password} hint={up && !errors.password ? "At least 8 characters." : undefined}>
        {(control) => (
          <div className="flex gap-1">
            <Input
              {...control}
              name="password"
              type={passwordType}
              autoComplete={up ? "new-password" : "current-password"}
              required
            />
            <Button aria-pressed={shown} aria-label="Show password" onClick={() => setShown(!shown)}>
              {shown ? "Hide" : "Show"}
            </Button>
          </div>
        )}
      </Field>
      {up && (
        <Field label="Confirm password" error={errors.confirmation}>
          {(control) => <Input {...control} name="confirmation" type={passwordType} autoComplete="new-password" required />}
        </Field>
      )}
      {children}
      <Button type="submit" variant="primary" size="lg" busy={busy}>
        {up ? (busy ? "Signing up…" : "Sign up") : busy ? "Signing in…" : "Sign in"}
      </Button>
    </form>
  );
}
