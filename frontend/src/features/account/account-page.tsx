import { useQuery } from "@tanstack/react-query";
import { UserRound } from "lucide-react";
import { useState } from "react";
import { type ThemeChoice, themeNames } from "@/hosts/host";
import { balanceQuery, profileQuery } from "@/shared/api/queries";
import { useApi, useServices, useSession, useTheme, withHost } from "@/shared/api/services";
import type { UserProfile } from "@/shared/api/types";
import { MarketplaceKeys } from "@/shared/keys/marketplace-keys";
import { ProviderKeys } from "@/shared/keys/provider-keys";
import { day, funds, money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Field, NativeSelect } from "@/shared/ui/input";
import { LoadFailed } from "@/shared/ui/load-failed";
import { SignedOut } from "@/shared/ui/signed-out";
import { Skeleton } from "@/shared/ui/skeleton";
import { leave } from "./account-api";
import { CreditSection } from "./credit-section";
import { DataSection } from "./data-section";
import { ConfirmNotice, NoticesSection } from "./notices-section";
import { PlanSection } from "./plan-section";
import { RechargeSection } from "./recharge-section";
import { Section } from "./section";
import { StatementSection } from "./statement-section";
import { UsageSection } from "./usage-section";

export interface AccountPageProps {
  /** Signs out, in place of the page's own way: for a host that has something to ask before. */
  onLeave?: () => void;
}

function Account({ onLeave }: AccountPageProps) {
  const api = useApi();
  const { token } = useSession();
  const profile = useQuery(profileQuery(api, token));
  if (!token) {
    return (
      <SignedOut icon={<UserRound aria-hidden />}>Here you will find your balance, what you used, and your keys.</SignedOut>
    );
  }
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex w-full max-w-3xl flex-col gap-4 p-4 sm:p-6">
        <h1 className="text-xl font-semibold">Account</h1>
        <p>
          <a href="/connect" className="text-link hover:underline">
            Connect your editor, agent or program
          </a>
        </p>
        {profile.isLoading && <Skeleton className="h-28" />}
        {profile.isError && <LoadFailed what="Your account" error={profile.error} onRetry={() => void profile.refetch()} />}
        {profile.data && (
          <>
            <Overview user={profile.data} onLeave={onLeave} />
            <ConfirmNotice />
            <CreditSection />
            <RechargeSection />
            <UsageSection />
            <StatementSection />
            <PlanSection user={profile.data} />
            <Section title="Keys">
              <div className="flex flex-col gap-6">
                <MarketplaceKeys />
                <ProviderKeys />
              </div>
            </Section>
            <NoticesSection />
            <ThemeSection />
            <DataSection />
          </>
        )}
      </div>
    </div>
  );
}

function Overview({ user, onLeave }: AccountPageProps & { user: UserProfile }) {
  const { api, session } = useServices();
  const { token } = useSession();
  const balance = useQuery(balanceQuery(api, token)).data;
  return (
    <Section title={user.email} aside={<Button onClick={onLeave ?? (() => void leave(api, session))}>Sign out</Button>}>
      <p className="text-2xl font-semibold tabular-nums">
        {funds(balance?.available ?? user.balance)} <span className="text-sm font-normal text-muted">to spend</span>
      </p>
      <p className="text-muted">
        {balance?.held ? `${money(balance.held)} more is set aside for running answers. ` : ""}
        {user.role === "admin" && (
          <>
            <a href="/admin" className="text-link hover:underline">
              Administrator
            </a>
            .{" "}
          </>
        )}
        Member since {day(user.created_at)}.
      </p>
    </Section>
  );
}

const themeWords: Record<ThemeChoice, string> = {
  system: "As the system",
  dark: "Dark",
  light: "Light",
  "hc-dark": "High contrast, dark",
  "hc-light": "High contrast, light",
};

function ThemeSection() {
  const { host } = useServices();
  useTheme();
  const [choice, setChoice] = useState(() => host.theme.choice());
  if (!host.theme.choose) return null;
  return (
    <Section title="Appearance">
      <Field label="Theme">
        {(control) => (
          <NativeSelect
            {...control}
            className="w-fit"
            value={choice}
            onChange={(event) => {
              const next = event.target.value as ThemeChoice;
              setChoice(next);
              host.theme.choose?.(next);
            }}
          >
            {(["system", ...themeNames] as const).map((name) => (
              <option key={name} value={name}>
                {themeWords[name]}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
    </Section>
  );
}

export const AccountPage = withHost<AccountPageProps>(Account);
