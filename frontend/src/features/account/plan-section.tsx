import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import type { UserProfile } from "@/shared/api/types";
import { day, money } from "@/shared/lib/format";
import { randomId } from "@/shared/lib/random-id";
import { Badge } from "@/shared/ui/badge";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { type Plan, plansQuery, subscribe } from "./account-api";
import { Section } from "./section";

export function PlanSection({ user }: { user: UserProfile }) {
  const api = useApi();
  const plans = useQuery(plansQuery(api)).data ?? [];
  const [choosing, setChoosing] = useState<Plan | null>(null);
  return (
    <Section title="Plan">
      <ul className="grid gap-3 sm:grid-cols-3">
        {plans.map((plan) => {
          const current = plan.name === user.tier;
          return (
            <li key={plan.name} className="flex flex-col gap-1 rounded border border-line p-3">
              <p className="flex items-center gap-2 font-medium">
                {titled(plan.name)} {current && <Badge tone="success">yours</Badge>}
              </p>
              <p className="tabular-nums">
                {Number(plan.price) === 0 ? "$0" : `${money(plan.price)} for ${plan.days ?? 30} days`}
              </p>
              <p className="flex-1 text-muted">{plan.description}</p>
              {current && user.subscription_expires && (
                <p className="text-xs text-muted">until {day(user.subscription_expires)}</p>
              )}
              {Number(plan.price) > 0 && (
                <Button size="sm" onClick={() => setChoosing(plan)}>
                  {current ? "Extend" : `Choose ${titled(plan.name)}`}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      {choosing && <SubscribeDialog plan={choosing} onClose={() => setChoosing(null)} />}
    </Section>
  );
}

function SubscribeDialog({ plan, onClose }: { plan: Plan; onClose: () => void }) {
  const api = useApi();
  const client = useQueryClient();
  // One key for this dialog: a second click, or a retry after a lost reply, is not a second charge.
  const [key] = useState(randomId);
  const pay = useMutation({
    mutationFn: () => subscribe(api, plan.name, key),
    onSuccess: async () => {
      await client.invalidateQueries();
      onClose();
    },
  });
  return (
    <Dialog open onOpenChange={onClose} title={`Choose the ${titled(plan.name)} plan?`}>
      <DialogBody className="flex flex-col gap-4">
        <p>
          {money(plan.price)} for {plan.days ?? 30} days is taken from your balance now. It does not renew by itself.
        </p>
        {pay.error && (
          <p role="alert" className="text-danger">
            {pay.error.message}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" busy={pay.isPending} onClick={() => pay.mutate()}>
            Pay {money(plan.price)}
          </Button>
        </div>
      </DialogBody>
    </Dialog>
  );
}

const titled = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
