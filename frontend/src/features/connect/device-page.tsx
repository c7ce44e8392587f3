import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi, withHost } from "@/shared/api/services";
import { KeyTerms, newKeyOf } from "@/shared/keys/new-key-form";
import { moment } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Field, Input } from "@/shared/ui/input";
import { Notice } from "@/shared/ui/notice";
import { approveCode, type DeviceAsked, denyCode, lookAtCode } from "./device-api";

const CAP = "5";
const scopeWords: Record<string, string> = {
  inference: "Use models and agents, and spend your credit on them",
  "account:read": "Read your profile, balance, usage and chats",
  "account:write": "Change your chats, agents, favourites and ratings",
};

/** Where a person answers a program that shows a code (RFC 8628). An address may fill the code in; nothing is approved by it. */
function Device({ code: given = "" }: { code?: string }) {
  const api = useApi();
  const [code, setCode] = useState(given);
  const [ended, setEnded] = useState<"allowed" | "refused" | null>(null);
  const look = useMutation({ mutationFn: () => lookAtCode(api, code) });
  if (ended) {
    return (
      <Frame>
        {ended === "allowed" ? (
          <Notice title="Done: the program has its key in a few seconds.">
            Go back to it; you may close this page. You can end the key at any time under Account, Marketplace keys.
          </Notice>
        ) : (
          <Notice title="Refused: the program gets nothing.">You may close this page.</Notice>
        )}
      </Frame>
    );
  }
  if (look.data) return <Answer asked={look.data} code={code} onEnd={setEnded} />;
  return (
    <Frame>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          look.mutate();
        }}
      >
        <Field label="The code that your program shows" error={look.error?.message}>
          {(control) => (
            <Input
              {...control}
              className="max-w-52 font-mono text-lg uppercase"
              required
              autoComplete="off"
              autoCapitalize="characters"
              spellCheck={false}
              maxLength={20}
              placeholder="BCDF-GHJK"
              value={code}
              onChange={(event) => setCode(event.target.value)}
            />
          )}
        </Field>
        <p className="text-muted">
          Go on only if this very code stands in a program that you have just started yourself. We never send codes.
        </p>
        <div>
          <Button type="submit" variant="primary" busy={look.isPending}>
            Continue
          </Button>
        </div>
      </form>
    </Frame>
  );
}

function Answer({ asked, code, onEnd }: { asked: DeviceAsked; code: string; onEnd: (how: "allowed" | "refused") => void }) {
  const api = useApi();
  const [problem, setProblem] = useState<string>();
  const approve = useMutation({
    mutationFn: (key: Parameters<typeof approveCode>[2]) => approveCode(api, code, key),
    onSuccess: () => onEnd("allowed"),
  });
  const deny = useMutation({ mutationFn: () => denyCode(api, code), onSuccess: () => onEnd("refused") });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const key = newKeyOf(fields);
    const scopes = fields.getAll("scope").map(String);
    setProblem("problem" in key ? key.problem : undefined);
    if (!("problem" in key)) approve.mutate({ ...key, scopes });
  };
  const error = approve.error ?? deny.error;
  return (
    <Frame>
      <p className="text-base">
        A program that calls itself <strong className="break-words">“{asked.client}”</strong> asks for a key to your account.
      </p>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-muted">
        <dt>Code</dt>
        <dd className="font-mono text-fg uppercase">{code}</dd>
        <dt>Asked</dt>
        <dd>{moment(asked.asked_at)}</dd>
        <dt>From</dt>
        <dd>{asked.same_network ? "the network address that you are at" : "another network address than yours"}</dd>
      </dl>
      <Notice tone="warning" title="Did you start this yourself, and does your program show this very code?">
        {asked.same_network ? "" : "It asked from elsewhere: allow it only if that is a machine of yours. "}
        If somebody sent you the code or a link to this page, they want to spend your credit: refuse.
      </Notice>
      <form onSubmit={submit} className="flex flex-col gap-4">
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1 font-medium">What it may do</legend>
          {asked.scopes.map((scope) => (
            <label key={scope} className="flex items-start gap-2">
              <input type="checkbox" name="scope" value={scope} defaultChecked className="mt-1" />
              {scopeWords[scope] ?? scope}
            </label>
          ))}
        </fieldset>
        <KeyTerms problem={problem} name={asked.client} cap={CAP} />
        {error && (
          <p role="alert" className="text-danger">
            {error.message}
          </p>
        )}
        <div className="flex flex-wrap gap-2">
          <Button type="submit" variant="primary" busy={approve.isPending}>
            Allow
          </Button>
          <Button variant="danger" busy={deny.isPending} onClick={() => deny.mutate()}>
            Refuse
          </Button>
        </div>
      </form>
    </Frame>
  );
}

function Frame({ children }: { children: React.ReactNode }) {
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex w-full max-w-xl flex-col gap-5 p-4 sm:p-6">
        <h1 className="text-xl font-semibold">Let a program in</h1>
        {children}
      </div>
    </div>
  );
}

export const DevicePage = withHost(Device);
