import { useQuery } from "@tanstack/react-query";
import type { ComponentType } from "react";
import { profileQuery } from "@/shared/api/queries";
import { useApi, useSession, withHost } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { EmptyState } from "@/shared/ui/notice";
import { Tab, TabList, TabPanel, Tabs } from "@/shared/ui/tabs";
import { ActivityPart } from "./activity-part";
import { AgentsPart } from "./agents-part";
import { AlertsPart } from "./alerts-part";
import { AnswersPart } from "./answers-part";
import { AuditPart } from "./audit-part";
import { CodesPart } from "./codes-part";
import { MailPart } from "./mail-part";
import { ModelsPart } from "./models-part";
import { OverviewPart } from "./overview-part";
import { isPart, type Part, partNames } from "./parts";
import { PaymentsPart } from "./payments-part";
import { PeoplePart } from "./people-part";
import { ProvidersPart } from "./providers-part";
import { SettingsPart } from "./settings-part";
import { UsagePart } from "./usage-part";

const pages: Record<Part, ComponentType> = {
  overview: OverviewPart,
  people: PeoplePart,
  payments: PaymentsPart,
  codes: CodesPart,
  answers: AnswersPart,
  agents: AgentsPart,
  usage: UsagePart,
  activity: ActivityPart,
  alerts: AlertsPart,
  mail: MailPart,
  providers: ProvidersPart,
  models: ModelsPart,
  settings: SettingsPart,
  audit: AuditPart,
};

export interface AdminPageProps {
  part: Part;
  onPart: (part: Part) => void;
}

/** The operator's console. The server decides who may do what; this only does not show it to others. */
function Admin({ part, onPart }: AdminPageProps) {
  const api = useApi();
  const { token, session } = useSession();
  const profile = useQuery(profileQuery(api, token)).data;
  if (token && !profile) return null;
  if (profile?.role !== "admin") {
    return (
      <EmptyState
        title="For administrators"
        actions={
          !token && (
            <Button variant="primary" onClick={() => void session.require("asked")}>
              Sign in
            </Button>
          )
        }
      >
        {token ? "Your account may not open this page." : "Sign in as an administrator of this server."}
      </EmptyState>
    );
  }
  const Shown = pages[part];
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex w-full max-w-6xl flex-col gap-4 p-4 sm:p-6">
        <h1 className="text-xl font-semibold">Administration</h1>
        <Tabs value={part} onValueChange={(next: unknown) => isPart(next) && onPart(next)}>
          <TabList aria-label="Parts" className="flex-wrap">
            {Object.entries(partNames).map(([key, name]) => (
              <Tab key={key} value={key}>
                {name}
              </Tab>
            ))}
          </TabList>
          {Object.keys(partNames).map((key) => (
            <TabPanel key={key} value={key} className="pt-4">
              {key === part && <Shown />}
            </TabPanel>
          ))}
        </Tabs>
      </div>
    </div>
  );
}

export const AdminPage = withHost<AdminPageProps>(Admin);
