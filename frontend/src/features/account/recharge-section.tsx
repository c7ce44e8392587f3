import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi, useSession } from "@/shared/api/services";
import { day, funds } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Field, Input } from "@/shared/ui/input";
import { Notice } from "@/shared/ui/notice";
import { agreeToRecharge, forgetCard, offeredQuery, type Recharge, rechargeQuery, stopRecharge } from "./credit-api";
import { Section } from "./section";

type Plan = NonNullable<Recharge["recharge"]>;

/** A saved card that is charged when the balance is low: off until one agrees to the amounts, with a limit a month. */
export function RechargeSection() {
  const api = useApi();
  const { token } = useSession();
  const offered = useQuery(offeredQuery(api, token)).data;
  const query = rechargeQuery(api, token);
  const found = useQuery({
    ...query,
    enabled: query.enabled !== false && offered?.methods.includes("stripe") === true,
  }).data;
  if (!found || !offered) return null;
  const plan = found.recharge;
  if (!offered.recharge && !plan) return null;
  return (
    <Section title="Automatic recharge">
      <div className="flex flex-col gap-4">
        <State plan={plan} used={found.used} />
        {offered.recharge ? (
          <Agreement key={plan?.consented_at ?? "none"} plan={plan} />
        ) : (
          <p>Whoever runs this server has switched automatic recharge off: no card is charged.</p>
        )}
      </div>
    </Section>
  );
}

function State({ plan, used }: { plan: Plan | null; used: number }) {
  const api = useApi();
  const client = useQueryClient();
  const changed = () => client.invalidateQueries({ queryKey: ["recharge"] });
  const stop = useMutation({ mutationFn: () => stopRecharge(api), onSuccess: changed });
  const forget = useMutation({ mutationFn: () => forgetCard(api), onSuccess: changed });
  if (!plan) return <p className="text-muted">Off. No card is saved.</p>;
  const failed = stop.error ?? forget.error;
  return (
    <div className="flex flex-col gap-2">
      {plan.state === "on" && (
        <p>
          <strong>On.</strong> Below {funds(plan.threshold)}, {funds(plan.amount)} is charged to {plan.card}. This month:{" "}
          {funds(used)} of at most {funds(plan.monthly)}. You agreed on {day(plan.consented_at)}.
        </p>
      )}
      {plan.state === "waiting" && <p role="status">Waiting for the card that you save on the payment page.</p>}
      {plan.state === "off" && plan.words && <Notice tone="warning" title={`Switched off: ${plan.words}`} />}
      {plan.state === "off" && (
        <p className="text-muted">Off. {plan.card ? `Saved card: ${plan.card}.` : "No card is saved."}</p>
      )}
      <div className="flex gap-2">
        {plan.state !== "off" && (
          <Button busy={stop.isPending} onClick={() => stop.mutate()}>
            Switch off
          </Button>
        )}
        {plan.card && (
          <Button variant="danger" busy={forget.isPending} onClick={() => forget.mutate()}>
            Delete the saved card
          </Button>
        )}
      </div>
      {failed && (
        <p role="alert" className="text-danger">
          {failed.message}
        </p>
      )}
    </div>
  );
}

function Agreement({ plan }: { plan: Plan | null }) {
  const api = useApi();
  const client = useQueryClient();
  const [agreed, setAgreed] = useState(false);
  const [values, setValues] = useState({
    threshold: String(plan?.threshold ?? 5),
    amount: String(plan?.amount ?? 20),
    monthly: String(plan?.monthly ?? 60),
  });
  const [anotherCard, setAnotherCard] = useState(false);
  const agree = useMutation({
    mutationFn: () => agreeToRecharge(api, { ...values, consent: true, new_card: anotherCard }),
    onSuccess: ({ url }) => {
      void client.invalidateQueries({ queryKey: ["recharge"] });
      if (url) location.assign(url);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    agree.mutate();
  };
  const dollars = (label: string, name: keyof typeof values) => (
    <Field label={label}>
      {(control) => (
        <Input
          {...control}
          className="w-32"
          inputMode="decimal"
          pattern="\d+(\.\d{1,2})?"
          autoComplete="off"
          required
          value={values[name]}
          onChange={(event) => {
            setAgreed(false); // consent is to these very amounts
            setValues({ ...values, [name]: event.target.value });
          }}
        />
      )}
    </Field>
  );
  return (
    <form className="flex flex-col gap-3" onSubmit={submit}>
      <div className="flex flex-wrap gap-3">
        {dollars("When less is left than ($)", "threshold")}
        {dollars("charge ($)", "amount")}
        {dollars("at most a month ($)", "monthly")}
      </div>
      {plan?.card && (
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={anotherCard}
            onChange={(event) => setAnotherCard(event.target.checked)}
          />
          Save another card
        </label>
      )}
      <label className="flex items-start gap-2">
        <input
          type="checkbox"
          className="mt-1 size-4 accent-accent"
          required
          checked={agreed}
          onChange={(event) => setAgreed(event.target.checked)}
        />
        <span>
          I agree that my saved card is charged ${values.amount} without asking me again whenever my balance is below $
          {values.threshold}, at most ${values.monthly} in a calendar month (UTC) and at most once in ten minutes. I get a
          receipt each time. It ends when I switch it off here, and by itself when a charge fails.
        </span>
      </label>
      {agree.error && (
        <p role="alert" className="text-danger">
          {agree.error.message}
        </p>
      )}
      <Button type="submit" variant="primary" className="w-fit" busy={agree.isPending}>
        {plan?.card && !anotherCard ? "Agree" : "Agree and save a card"}
      </Button>
    </form>
  );
}
