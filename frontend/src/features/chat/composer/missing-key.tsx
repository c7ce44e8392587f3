import { useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import type { ChatModel } from "@/features/chat/models/models";
import { canChat } from "@/features/chat/models/rank-models";
import { modelsQuery, providersQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
import { providerKeysQuery } from "@/shared/keys/keys-api";
import { providerName } from "@/shared/lib/names";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogBody } from "@/shared/ui/dialog";

const AddProviderKey = lazy(() =>
  import("@/shared/keys/provider-keys").then((module) => ({ default: module.AddProviderKey })),
);

/** Said before anything is sent: nobody here has a key for this model. Nothing where it can be asked. */
export function MissingKeyLine({ model, onPick }: { model: ChatModel; onPick: (id: string) => void }) {
  const api = useApi();
  const { token } = useSession();
  const own = useQuery({ ...providerKeysQuery(api, token), enabled: token !== null && !model.available }).data;
  if (model.available || !/\bkey\b/.test(model.unavailableReason ?? "")) return null;
  if (own?.some(({ provider }) => model.providers.includes(provider))) return null;
  return (
    <div role="status" className="flex flex-wrap items-center gap-2 text-xs text-warning">
      <span>{model.name} needs a key that this server does not have.</span>
      <AddKeyButton providers={model.providers} onAdded={() => {}} />
      <FreeInstead onPick={onPick} />
    </div>
  );
}

/** A key of one's own, added here and now; `onAdded` once the provider has taken it. */
export function AddKeyButton({ providers, onAdded }: { providers: readonly string[]; onAdded: () => void }) {
  const api = useApi();
  const client = useQueryClient();
  const { session, token } = useSession();
  const [open, setOpen] = useState(false);
  const taken = useQuery(providersQuery(api)).data?.filter(({ name, byok }) => byok && providers.includes(name));
  const [first] = taken ?? [];
  if (!first) return null;
  const added = async () => {
    await client.invalidateQueries({ queryKey: ["provider-keys"] });
    await client.invalidateQueries({ queryKey: ["models"] });
    setOpen(false);
    onAdded();
  };
  const title = taken?.length === 1 ? `Your key for ${providerName(first.name)}` : "Your key at a provider";
  return (
    <>
      <Button
        size="sm"
        variant="primary"
        onClick={() => (token ? setOpen(true) : void session.require("asked").then(setOpen))}
      >
        <KeyRound aria-hidden className="size-3.5!" /> Add a key
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title={title}>
        <DialogBody className="flex flex-col gap-3">
          <p className="text-muted">
            It is tested, encrypted and never shown again. With it the provider bills you, not your balance here.
          </p>
          <Suspense>
            <AddProviderKey only={providers} onAdded={added} />
          </Suspense>
        </DialogBody>
      </Dialog>
    </>
  );
}

/** A model that answers here for nothing, if there is one. */
export function FreeInstead({ onPick }: { onPick: (id: string) => void }) {
  const { data } = useQuery({ ...modelsQuery(useApi()), enabled: false });
  const free = data?.find((model) => model.is_available && model.pricing_tier === "free" && canChat(model));
  if (!free) return null;
  return (
    <Button size="sm" onClick={() => onPick(free.id)}>
      Ask {free.name}, free
    </Button>
  );
}
