import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi, useHost, useSession } from "@/shared/api/services";
import { funds } from "@/shared/lib/format";
import { randomId } from "@/shared/lib/random-id";
import { Button } from "@/shared/ui/button";
import { Field, Input, NativeSelect } from "@/shared/ui/input";
import { Notice } from "@/shared/ui/notice";
import { type Method, makeOrder, type Offered, type Order, offeredQuery, ordersQuery, redeem } from "./credit-api";
import { Orders } from "./orders-list";
import { Section } from "./section";

const methodNames: Record<Method, string> = {
  stripe: "Card",
  webhook: "On the operator's payment page",
  transfer: "Bank transfer",
};

/** What this server offers to add credit with, and what became of it. */
export function CreditSection() {
  const api = useApi();
  const { token } = useSession();
  const client = useQueryClient();
  const offered = useQuery(offeredQuery(api, token)).data;
  const orders = useQuery(ordersQuery(api, token)).data ?? [];
  if (!offered) return null;
  const changed = () => void client.invalidateQueries();
  return (
    <Section title="Add credit">
      <div className="flex flex-col gap-4">
        {offered.methods.length > 0 ? (
          <OrderForm offered={offered} onMade={changed} />
        ) : (
          <p className="text-muted">This server takes no payments itself. Whoever runs it can give you credit or a code.</p>
        )}
        <CodeForm onRedeemed={changed} />
        {orders.length > 0 && (
          <Orders orders={orders} transfer={offered.transfer} issuer={offered.issuer} onChanged={changed} />
        )}
      </div>
    </Section>
  );
}

/** The same attempt after a reload makes no second order: its key is kept until there is an order. */
function useAttempt() {
  const { storage } = useHost();
  const key = "credit-attempt";
  const [attempt] = useState(() => {
    const kept = storage.getItem(key) ?? randomId();
    storage.setItem(key, kept);
    return kept;
  });
  return { attempt, done: () => storage.removeItem(key) };
}

function OrderForm({ offered, onMade }: { offered: Offered; onMade: () => void }) {
  const [round, setRound] = useState(0);
  return (
    <OneOrder
      key={round}
      offered={offered}
      onMade={() => {
        setRound(round + 1);
        onMade();
      }}
    />
  );
}

function OneOrder({ offered, onMade }: { offered: Offered; onMade: () => void }) {
  const api = useApi();
  const { attempt, done } = useAttempt();
  const make = useMutation({
    mutationFn: ({ method, amount }: { method: Method; amount: string }) =>
      makeOrder(api, method, amount, `${attempt}-${method}-${amount}`),
    onSuccess: ({ order }) => {
      done();
      onMade();
      if (order.pay_url) location.assign(order.pay_url);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    make.mutate({ method: String(fields.get("method")) as Method, amount: String(fields.get("amount")) });
  };
  return (
    <form className="flex flex-wrap items-end gap-3" onSubmit={submit}>
      <Field label="Amount in dollars">
        {(control) => (
          <Input
            {...control}
            className="w-32"
            name="amount"
            inputMode="decimal"
            pattern="\d+(\.\d{1,2})?"
            title={`From ${funds(offered.least)} to ${funds(offered.most)}, in whole cents`}
            defaultValue="20"
            required
          />
        )}
      </Field>
      <Field label="Paid by">
        {(control) => (
          <NativeSelect {...control} name="method">
            {offered.methods.map((method) => (
              <option key={method} value={method}>
                {methodNames[method]}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      <Button type="submit" variant="primary" busy={make.isPending}>
        Continue
      </Button>
      {make.error && (
        <p role="alert" className="w-full text-danger">
          {make.error.message}
        </p>
      )}
    </form>
  );
}

function CodeForm({ onRedeemed }: { onRedeemed: () => void }) {
  const api = useApi();
  const [got, setGot] = useState<Order | null>(null);
  const [code, setCode] = useState("");
  const take = useMutation({
    mutationFn: () => redeem(api, code),
    onSuccess: ({ order }) => {
      setGot(order);
      setCode("");
      onRedeemed();
    },
  });
  return (
    <form
      className="flex flex-wrap items-end gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        take.mutate();
      }}
    >
      <Field label="Redeem a code" error={take.error?.message}>
        {(control) => (
          <Input
            {...control}
            className="w-56 font-mono uppercase"
            placeholder="7K3M-Q2XF-9RTA-4B8W"
            autoComplete="off"
            spellCheck={false}
            maxLength={80}
            required
            value={code}
            onChange={(event) => setCode(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit" busy={take.isPending}>
        Redeem
      </Button>
      {got && (
        <Notice className="w-full" title={`${funds(got.credit)} added`}>
          {got.credit_ends_at ? `It is good until ${new Date(got.credit_ends_at).toLocaleDateString()}.` : ""}
        </Notice>
      )}
    </form>
  );
}
