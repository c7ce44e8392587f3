import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useApi, useSession } from "@/shared/api/services";
import { type MarketplaceKey, marketplaceKeysQuery, revokeKey } from "@/shared/keys/keys-api";
import { NewKeyForm } from "@/shared/keys/new-key-form";
import { day, money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { CopyButton } from "@/shared/ui/copy-button";
import { Skeleton } from "@/shared/ui/skeleton";

/** Keys for the user's programs and editors: made with a cap and an end, shown once, revoked. */
export function MarketplaceKeys() {
  const api = useApi();
  const client = useQueryClient();
  const { token } = useSession();
  const keys = useQuery(marketplaceKeysQuery(api, token));
  const [shown, setShown] = useState<string | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: ["marketplace-keys"] });
  return (
    <section aria-label="Marketplace keys" className="flex flex-col gap-3">
      <div>
        <h3 className="font-medium">Your marketplace keys</h3>
        <p className="text-muted">For your editor and your programs. They spend your balance, up to their cap.</p>
      </div>
      {shown && <ShownOnce secret={shown} onDone={() => setShown(null)} />}
      {keys.isLoading && <Skeleton className="h-10" />}
      {keys.isError && (
        <p role="alert" className="text-danger">
          {keys.error.message}
        </p>
      )}
      {keys.data && keys.data.length > 0 && (
        <ul className="flex flex-col gap-2">
          {keys.data.map((key) => (
            <KeyRow key={key.id} stored={key} onRevoked={refresh} />
          ))}
        </ul>
      )}
      <NewKeyForm
        onCreated={(key) => {
          setShown(key.key);
          void refresh();
        }}
      />
    </section>
  );
}

/** A new key's text: there is no second time. */
export function ShownOnce({ secret, onDone }: { secret: string; onDone: () => void }) {
  return (
    <div role="status" className="flex flex-col gap-2 rounded border border-focus bg-raised p-3">
      <p className="font-medium">Copy your new key now: it is not shown again.</p>
      <div className="flex flex-wrap items-center gap-2">
        <code className="min-w-0 flex-1 rounded bg-code px-2 py-1 text-xs break-all">{secret}</code>
        <CopyButton text={secret} what="the new key" />
        <Button size="sm" onClick={onDone}>
          Done
        </Button>
      </div>
    </div>
  );
}

function KeyRow({ stored, onRevoked }: { stored: MarketplaceKey; onRevoked: () => Promise<void> }) {
  const api = useApi();
  const [asking, setAsking] = useState(false);
  const revoke = useMutation({ mutationFn: () => revokeKey(api, stored.id), onSuccess: onRevoked });
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded border border-line px-3 py-2">
      <span className="font-medium">{stored.name}</span>
      <code className="text-xs text-muted">{stored.prefix}…</code>
      <span className="ml-auto flex gap-1">
        {asking ? (
          <>
            <Button size="sm" onClick={() => setAsking(false)}>
              Keep
            </Button>
            <Button
              size="sm"
              variant="danger"
              busy={revoke.isPending}
              aria-label={`Yes, revoke ${stored.name}`}
              onClick={() => revoke.mutate()}
            >
              Yes, revoke
            </Button>
          </>
        ) : (
          <Button size="sm" aria-label={`Revoke ${stored.name}`} onClick={() => setAsking(true)}>
            Revoke
          </Button>
        )}
      </span>
      <p className="w-full text-xs text-muted">
        {keyFacts(stored).join(" · ")}
        {revoke.error && <span className="text-danger"> {revoke.error.message}</span>}
      </p>
    </li>
  );
}

function keyFacts(key: MarketplaceKey): string[] {
  const spent = `spent ${money(key.spent)}`;
  return [
    key.cap
      ? `${spent} of ${money(key.cap.amount)} ${key.cap.period === "total" ? "in all" : `a ${key.cap.period}`}`
      : `${spent}, no cap`,
    key.expires_at ? `ends ${day(key.expires_at)}` : "no end",
    key.last_used_at ? `last used ${day(key.last_used_at)}` : "not used yet",
  ];
}
