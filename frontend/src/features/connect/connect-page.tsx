import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { modelsQuery } from "@/shared/api/queries";
import { useApi, useHost, useSession, withHost } from "@/shared/api/services";
import type { ClientSettings, Model } from "@/shared/api/types";
import { createKey } from "@/shared/keys/keys-api";
import { ShownOnce } from "@/shared/keys/marketplace-keys";
import { providerName } from "@/shared/lib/names";
import { Button } from "@/shared/ui/button";
import { CopyButton } from "@/shared/ui/copy-button";
import { Field, Input } from "@/shared/ui/input";
import { Skeleton } from "@/shared/ui/skeleton";
import { Tab, TabList, TabPanel, Tabs } from "@/shared/ui/tabs";
import { type Connection, clientsQuery, filled, tried } from "./recipes";

const NO_KEY = "PASTE-A-MARKETPLACE-KEY";
const DEFAULT_CONTEXT = 32_768;
const DEFAULT_OUTPUT = 4096;

/** Settings for the user's editors and programs, with this server's address, a key and a model in place. */
function Connect() {
  const host = useHost();
  const api = useApi();
  const { token } = useSession();
  const models = useQuery(modelsQuery(api)).data ?? [];
  const [search, setSearch] = useState("");
  const [key, setKey] = useState<{ text: string; fresh: boolean } | null>(null);
  const create = useMutation({
    mutationFn: () => createKey(api, { name: "My editor", expires_in_days: 90 }),
    onSuccess: (made) => setKey({ text: made.key, fresh: true }),
  });
  const model = models.find((each) => each.id === search) ?? models.find((each) => each.is_available);
  const clients = useQuery(clientsQuery(api));
  const connection = connectionOf(new URL(host.apiBase || "/", document.baseURI).origin, key?.text ?? NO_KEY, model);
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex w-full max-w-3xl flex-col gap-6 p-4 sm:p-6">
        <header>
          <h1 className="text-xl font-semibold">Connect your editor</h1>
          <p className="text-muted">Use every model of the marketplace in the tools you have: copy, paste, done.</p>
        </header>
        <ol className="flex flex-col gap-5">
          <li className="flex flex-col gap-2">
            <h2 className="font-medium">1. A key for this tool</h2>
            {key?.fresh ? (
              <ShownOnce secret={key.text} onDone={() => setKey({ ...key, fresh: false })} />
            ) : key ? (
              <p className="text-muted">Your new key is in the settings below until you leave this page.</p>
            ) : (
              <div className="flex flex-wrap items-end gap-3">
                <Button variant="primary" busy={create.isPending} onClick={() => create.mutate()}>
                  {token ? "Create a key" : "Sign in and create a key"}
                </Button>
                <Field label="or paste one you have" className="min-w-56 flex-1">
                  {(control) => (
                    <Input
                      {...control}
                      type="password"
                      autoComplete="off"
                      spellCheck={false}
                      onChange={(event) => {
                        const text = event.target.value.trim();
                        if (text) setKey({ text, fresh: false });
                      }}
                    />
                  )}
                </Field>
              </div>
            )}
            {create.error && (
              <p role="alert" className="text-danger">
                {create.error.message}
              </p>
            )}
          </li>
          <li className="flex flex-col gap-2">
            <h2 className="font-medium">2. A model</h2>
            <Field
              label="Model id"
              hint={
                model ? `${model.name} · ${providerName(model.provider)}` : "Any id from the catalogue; also provider/model."
              }
            >
              {(control) => (
                <>
                  <Input
                    {...control}
                    list="connect-models"
                    autoComplete="off"
                    spellCheck={false}
                    value={search}
                    placeholder={model?.id ?? "auto"}
                    onChange={(event) => setSearch(event.target.value.trim())}
                  />
                  <datalist id="connect-models">
                    {models
                      .filter((each) => each.is_available)
                      .slice(0, 200)
                      .map((each) => (
                        <option key={each.id} value={each.id}>
                          {each.name}
                        </option>
                      ))}
                  </datalist>
                </>
              )}
            </Field>
          </li>
          <li className="flex flex-col gap-2">
            <h2 className="font-medium">3. The settings</h2>
            {clients.isError && (
              <p role="alert" className="text-danger">
                {clients.error.message}
              </p>
            )}
            {clients.isPending && <Skeleton className="h-40" />}
            {clients.data && <Recipes list={clients.data} connection={connection} />}
          </li>
        </ol>
      </div>
    </div>
  );
}

function Recipes({ list, connection }: { list: ClientSettings[]; connection: Connection }) {
  return (
    <Tabs defaultValue={list[0]?.id}>
      <TabList aria-label="Tool" data-tour="connect" className="h-auto flex-wrap">
        {list.map((client) => (
          <Tab key={client.id} value={client.id}>
            {client.name}
          </Tab>
        ))}
      </TabList>
      {list.map((client) => (
        <TabPanel key={client.id} value={client.id} className="flex flex-col gap-3 pt-3">
          {client.steps.map((step, index) => (
            <Snippet
              key={step.where}
              where={step.where}
              text={filled(step.text, connection).trimEnd()}
              tool={index === 0 ? client.name : `${client.name}, step ${index + 1}`}
            />
          ))}
          <p className="text-muted">{[client.note, tried(client)].filter(Boolean).join(" ")}</p>
        </TabPanel>
      ))}
    </Tabs>
  );
}

function Snippet({ where, text, tool }: { where: string; text: string; tool: string }) {
  return (
    <figure className="overflow-hidden rounded-md border border-line bg-code">
      <figcaption className="flex items-center gap-2 border-b border-line py-1 pr-1 pl-3 text-xs text-muted">
        <span className="min-w-0 flex-1 break-words">{where}</span>
        <CopyButton text={text} what={`settings for ${tool}`} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard. */}
      <pre tabIndex={0} className="overflow-x-auto p-3 font-mono text-xs leading-normal">
        {text}
      </pre>
    </figure>
  );
}

function connectionOf(origin: string, key: string, model: Model | undefined): Connection {
  return {
    origin,
    key,
    modelId: model?.id ?? "auto",
    modelName: model?.name ?? "Auto",
    context: model?.context_window || DEFAULT_CONTEXT,
    maxOutput: model?.max_output || DEFAULT_OUTPUT,
    vision: model?.capabilities.includes("vision") ?? false,
  };
}

export const ConnectPage = withHost(Connect);
