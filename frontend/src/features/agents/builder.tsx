import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useApi, useSession } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { LoadFailed } from "@/shared/ui/load-failed";
import { Notice } from "@/shared/ui/notice";
import { Skeleton } from "@/shared/ui/skeleton";
import { addVersion, create, type Offered, ownQuery, submit, type Version, withdraw } from "./agents-api";
import { BuilderFields } from "./builder-fields";
import { draftOf, emptyForm, type Form, formOf } from "./builder-form";
import { RunBox } from "./run-box";
import { VersionDiff } from "./version-diff";

/** Makes an agent, or its next version; tries it; offers it. id empty: a new one. */
export function Builder({ id, handle, onDone }: { id: string; handle: string; onDone: (id: string | undefined) => void }) {
  const api = useApi();
  const { token } = useSession();
  const own = useQuery(ownQuery(api, token, id));
  if (id && !own.data)
    return own.isError ? (
      <LoadFailed what="This agent" error={own.error} onRetry={() => void own.refetch()} />
    ) : (
      <Skeleton className="h-60" />
    );
  return <Editor key={own.data?.versions[0]?.version ?? 0} own={own.data} handle={handle} onDone={onDone} />;
}

function Editor({ own, handle, onDone }: { own?: Offered; handle: string; onDone: (id: string | undefined) => void }) {
  const api = useApi();
  const cache = useQueryClient();
  const newest = own?.versions[0];
  const [form, setForm] = useState<Form>(newest ? formOf(own.agent.slug, newest.spec) : emptyForm);
  const [problem, setProblem] = useState("");
  const save = async () => {
    try {
      setProblem("");
      let id = own?.agent.id;
      if (id === undefined) id = (await create(api, form.slug, draftOf(form))).agent.id;
      else await addVersion(api, id, draftOf(form, newest?.spec));
      await cache.invalidateQueries({ queryKey: ["agents"] });
      onDone(id);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <div className="flex flex-col gap-4">
      <div>
        <Button variant="ghost" onClick={() => onDone(undefined)}>
          My agents
        </Button>
      </div>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <h2 className="font-semibold">{own ? `${newest?.spec.name}: the next version` : "New agent"}</h2>
        <BuilderFields form={form} change={(patch) => setForm({ ...form, ...patch })} handle={handle} fresh={!own} />
        {problem && (
          <Notice tone="error" title="Not saved">
            {problem}
          </Notice>
        )}
        <div>
          <Button variant="primary" type="submit">
            {own ? "Save as a new version" : "Save as a draft"}
          </Button>
        </div>
      </form>
      {own && newest && <Offering own={own} newest={newest} onProblem={setProblem} />}
      {own && newest && (
        <section aria-label="Playground" className="flex flex-col gap-2 rounded-lg border border-line bg-surface p-3">
          <h2 className="font-semibold">Try version {newest.version}</h2>
          <RunBox
            model={newest.spec.name}
            name={`${own.agent.model}@${newest.version}`}
            cap={String(newest.spec.limits.cap_default)}
            starters={newest.spec.starters}
          />
        </section>
      )}
      {own && <VersionDiff versions={own.versions} />}
    </div>
  );
}

const words: Record<string, string> = {
  draft: "A draft: only you can run it.",
  submitted: "Waits for a person to look at it.",
  listed: "Offered.",
  rejected: "Refused by a reviewer.",
  suspended: "Stopped by an administrator.",
  withdrawn: "Taken back.",
};

/** Offers the newest version, or takes it back. */
function Offering({ own, newest, onProblem }: { own: Offered; newest: Version; onProblem: (words: string) => void }) {
  const api = useApi();
  const cache = useQueryClient();
  const act = (done: Promise<unknown>) =>
    done
      .then(() => {
        onProblem("");
        return cache.invalidateQueries({ queryKey: ["agents"] });
      })
      .catch((error: Error) => onProblem(error.message));
  const { id } = own.agent;
  const open = ["draft", "rejected", "listed"].includes(newest.state);
  return (
    <section aria-label="Offer" className="flex flex-col gap-2">
      <p role="status" className="text-sm">
        Version {newest.version}: {words[newest.state]} {newest.findings.join("; ")}
      </p>
      <div className="flex flex-wrap gap-2">
        {open && (
          <>
            <Button onClick={() => void act(submit(api, id, newest.version, "listed"))}>Offer to everybody</Button>
            <Button onClick={() => void act(submit(api, id, newest.version, "unlisted"))}>Offer to who has the name</Button>
          </>
        )}
        {["listed", "submitted"].includes(newest.state) && (
          <Button onClick={() => void act(withdraw(api, id, newest.version))}>Take it back</Button>
        )}
      </div>
    </section>
  );
}
