import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { signUpQuery } from "@/shared/api/queries";
import { useApi, useSession, withHost } from "@/shared/api/services";
import type { AuthMode, SignInReason } from "@/shared/api/session";
import { MarketplaceKeys } from "@/shared/keys/marketplace-keys";
import { ProviderKeys } from "@/shared/keys/provider-keys";
import { funds } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { Tab, TabList, TabPanel, Tabs } from "@/shared/ui/tabs";
import type { SignedIn } from "./auth-api";
import { CredentialsForm } from "./credentials-form";
import { ForgotPassword } from "./forgot-password";

export interface AuthUser {
  user_id: string;
  email: string;
  /** Dollars; known after sign-up. */
  balance?: number;
}

export interface AIAuthModalProps {
  isOpen: boolean;
  onClose: () => void;
  onSuccess: (token: string, user: AuthUser) => void;
  initialMode?: AuthMode;
  reason?: SignInReason;
}

const words: Record<SignInReason, (credit: string) => string> = {
  expired: () => "Your session has ended. Sign in again: the page and your drafts are as you left them.",
  "first-use": (credit) => `An account comes with ${credit} to try the models. What you wrote is kept.`,
  asked: (credit) => `Sign in, or make an account: it comes with ${credit} to try the models.`,
};

/** Sign in, sign up, keys. The session is kept in the host's storage before `onSuccess` is called. */
function AuthModal({ isOpen, onClose, onSuccess, initialMode = "signin", reason = "asked" }: AIAuthModalProps) {
  const { token, session } = useSession();
  const [mode, setMode] = useState<AuthMode>(initialMode);
  const [forgotten, setForgotten] = useState(false);
  const { data: offer } = useQuery(signUpQuery(useApi()));
  const credit = offer?.credit ? `${funds(offer.credit).replace(/\.00$/, "")} of play credit` : "play credit";
  const emailField = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (isOpen) setMode(initialMode);
    setForgotten(false);
  }, [isOpen, initialMode]);
  const signedIn = (reply: SignedIn, email: string) => {
    session.signedIn(reply.token);
    onSuccess(reply.token, { user_id: reply.user_id, email, balance: reply.balance });
    if (initialMode === "api-keys") setMode("api-keys");
    else onClose();
  };
  const title = { signin: "Sign in", signup: "Sign up", "api-keys": "API keys" }[mode];
  return (
    <Dialog
      open={isOpen}
      onOpenChange={(open) => !open && onClose()}
      title={title}
      description={token ? undefined : words[reason](credit)}
      initialFocus={emailField}
    >
      <DialogBody>
        <Tabs value={mode} onValueChange={(next: AuthMode) => setMode(next)}>
          <TabList aria-label="Account">
            {!token && <Tab value="signin">Sign in</Tab>}
            {!token && <Tab value="signup">Sign up</Tab>}
            {(token || initialMode === "api-keys") && <Tab value="api-keys">API keys</Tab>}
          </TabList>
          <TabPanel value="signin">
            {forgotten ? (
              <ForgotPassword mail={offer?.mail ?? false} onBack={() => setForgotten(false)} />
            ) : (
              <CredentialsForm mode="signin" onSignedIn={signedIn} emailField={emailField}>
                <Button variant="ghost" size="sm" className="self-start" onClick={() => setForgotten(true)}>
                  Forgot password?
                </Button>
              </CredentialsForm>
            )}
          </TabPanel>
          <TabPanel value="signup">
            <CredentialsForm mode="signup" onSignedIn={signedIn} emailField={emailField} />
          </TabPanel>
          <TabPanel value="api-keys" className="pt-3">
            {token ? (
              <div className="flex flex-col gap-6">
                <ProviderKeys />
                <MarketplaceKeys />
              </div>
            ) : (
              <div className="flex flex-col items-start gap-3">
                <p>Keys belong to an account: sign in first, then add keys of providers or make keys for your editor.</p>
                <Button variant="primary" onClick={() => setMode("signin")}>
                  Sign in
                </Button>
              </div>
            )}
          </TabPanel>
        </Tabs>
      </DialogBody>
    </Dialog>
  );
}

export const AIAuthModal = withHost<AIAuthModalProps>(AuthModal);
