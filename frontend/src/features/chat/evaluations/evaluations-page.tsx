import { useQuery } from "@tanstack/react-query";
import { useApi, useSession, withHost } from "@/shared/api/services";
import { LoadFailed } from "@/shared/ui/load-failed";
import { SignedOut } from "@/shared/ui/signed-out";
import { Skeleton } from "@/shared/ui/skeleton";
import { EvaluationCard } from "./evaluation-card";
import { evaluationsQuery } from "./evaluations-api";
import { NewEvaluationForm } from "./new-evaluation-form";

/** Prompts of one's own, put to several models within a budget: begun here, watched here, results saved from here. */
function Evaluations({ models }: { models: readonly string[] }) {
  const api = useApi();
  const { token } = useSession();
  const found = useQuery(evaluationsQuery(api, token));
  if (!token) {
    return <SignedOut>Here you put a file of prompts to several models, within a budget.</SignedOut>;
  }
  return (
    <div className="mx-auto flex h-full w-full max-w-4xl flex-col gap-4 overflow-y-auto px-4 py-3">
      <header className="flex flex-wrap items-baseline gap-x-4">
        <h1 className="text-lg font-semibold">Evaluations</h1>
        <a href="/compare" className="text-link underline">
          Compare answers
        </a>
      </header>
      <NewEvaluationForm models={models} />
      <section aria-label="Your evaluations" className="flex flex-col gap-3">
        <h2 className="font-medium">Your evaluations</h2>
        {found.isLoading && <Skeleton className="h-24" />}
        {found.isError && <LoadFailed what="Your evaluations" error={found.error} onRetry={() => void found.refetch()} />}
        {found.data?.evaluations.length === 0 && <p className="text-muted">None yet.</p>}
        {found.data?.evaluations.map((each) => (
          <EvaluationCard key={each.id} evaluation={each} />
        ))}
      </section>
    </div>
  );
}

export const EvaluationsPage = withHost<{ models: readonly string[] }>(Evaluations);
