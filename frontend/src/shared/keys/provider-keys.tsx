import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { providersQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import type { ProviderInfo } from "@/shared/api/types";
import {
  deleteProviderKey,
  type ProviderKey,
  providerKeysQuery,
  saveProviderKey,
  testProviderKey,
} from "@/shared/keys/keys-api";
import { day } from "@/shared/lib/format";
import { providerName } from "@/shared/lib/names";
import { Badge } from "@/shared/ui/badge";
import { Button } from "@/shared/ui/button";
import { Field, Input, NativeSelect } from "@/shared/ui/input";
import { Skeleton } from "@/shared/ui/skeleton";

/** The user's own keys at providers: added, tested, shown masked, deleted. */
export function ProviderKeys() {
  const api = useApi();
  const client = useQueryClient();
  const { token } = useSession();
  const keys = useQuery(providerKeysQuery(api, token));
  const refresh = async () => {
    await client.invalidateQueries({ queryKey: ["provider-keys"] });
    await client.invalidateQueries({ queryKey: ["models"] });
  };
  return (
    <section aria-label="Keys at providers" className="flex flex-col gap-3">
      <div>
        <h3 className="font-medium">Your keys at providers</h3>
        <p className="text-muted">
          With your own key the provider bills you, not your balance here. Keys are encrypted and never shown again.
        </p>
      </div>
      {keys.isLoading && <Skeleton className="h-10" />}
      {keys.isError && (
        <p role="alert" className="text-danger">
          {keys.error.message}
        </p>
      )}
      {keys.data && keys.data.length > 0 && (
        <ul className="flex flex-col gap-2">
          {keys.data.map((key) => (
            <ProviderKeyRow key={key.provider} stored={key} onChanged={refresh} />
          ))}
        </ul>
      )}
      <AddProviderKey onAdded={refresh} />
    </section>
  );
}

function ProviderKeyRow({ stored, onChanged }: { stored: ProviderKey; onChanged: () => Promise<void> }) {
  const api = useApi();
  const test = useMutation({ mutationFn: () => testProviderKey(api, stored.provider), onSettled: onChanged });
  const remove = useMutation({ mutationFn: () => deleteProviderKey(api, stored.provider), onSuccess: onChanged });
  const failed = test.error ?? remove.error;
  const lost = stored.status === "needs_reentry";
  return (
    <li className="rounded border border-line px-3 py-2">
      <div className="flex flex-wrap items-center gap-2">
        <span className="font-medium">{providerName(stored.provider)}</span>
        <code className="text-xs text-muted">{stored.masked}</code>
        <Badge tone={stored.status === "verified" ? "success" : "warning"}>{lost ? "needs re-entry" : stored.status}</Badge>
        <span className="ml-auto flex gap-1">
          <Button
            size="sm"
            busy={test.isPending}
            aria-label={`Test the ${providerName(stored.provider)} key`}
            onClick={() => test.mutate()}
          >
            {test.isPending ? "Testing…" : "Test"}
          </Button>
          <Button
            size="sm"
            variant="danger"
            busy={remove.isPending}
            aria-label={`Delete the ${providerName(stored.provider)} key`}
            onClick={() => remove.mutate()}
          >
            Delete
          </Button>
        </span>
      </div>
      <p role="status" className="text-xs text-muted">
        {failed ? (
          <span className="text-danger">{failed.message}</span>
        ) : test.data ? (
          `Tested just now: ${test.data.status}`
        ) : lost ? (
          "The server can't read this key any more, and does not use it: enter it again below."
        ) : (
          `Added ${day(stored.created_at)}`
        )}
      </p>
    </li>
  );
}

export interface AddProviderKeyProps {
  /** Only these, by name; absent: every provider that takes keys of one's own. */
  only?: readonly string[];
  onAdded: (key: ProviderKey) => Promise<void>;
}

export function AddProviderKey({ only, onAdded }: AddProviderKeyProps) {
  const api = useApi();
  const taken = useQuery(providersQuery(api)).data?.filter((provider) => provider.byok) ?? [];
  const providers = only ? taken.filter(({ name }) => only.includes(name)) : byUse(taken);
  const [added, setAdded] = useState<ProviderKey | null>(null);
  const save = useMutation({
    mutationFn: ({ provider, key }: { provider: string; key: string }) => saveProviderKey(api, provider, key),
    onSuccess: async (key) => {
      setAdded(key);
      await onAdded(key);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    setAdded(null);
    const key = { provider: String(fields.get("provider")), key: String(fields.get("api_key")).trim() };
    if (key.key) save.mutate(key, { onSuccess: () => form.reset() });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-2 rounded border border-line p-3">
      <div className="flex flex-wrap items-start gap-2">
        <Field label="Provider">
          {(control) => (
            <NativeSelect {...control} name="provider">
              {providers.map(({ name }) => (
                <option key={name} value={name}>
                  {providerName(name)}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
        <Field label="API key" className="min-w-48 flex-1" error={save.error?.message}>
          {(control) => (
            <Input
              {...control}
              name="api_key"
              type="password"
              autoComplete="off"
              spellCheck={false}
              required
              placeholder="sk-…"
            />
          )}
        </Field>
      </div>
      <div className="flex items-center gap-3">
        <Button type="submit" variant="primary" busy={save.isPending}>
          {save.isPending ? "Testing…" : "Test and save"}
        </Button>
        <p role="status" className="text-muted">
          {added && `Saved: ${providerName(added.provider)} ${added.masked}, ${added.status}.`}
        </p>
      </div>
    </form>
  );
}

/** The makers most people have a key of first, then by name. */
function byUse(providers: readonly ProviderInfo[]): ProviderInfo[] {
  const rank = ({ name }: ProviderInfo) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return [...providers].sort((a, b) => rank(a) - rank(b) || providerName(a.name).localeCompare(providerName(b.name)));
}

const FIRST = ["openai", "anthropic", "google", "openrouter", "huggingface"];
