import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { isPartMissing, MissingPart } from "@/app/missing-part";
import { PageTitle } from "@/app/page-title";
import { Button } from "@/shared/ui/button";
import { EmptyState } from "@/shared/ui/notice";

/** What is left when a part of the page broke: words, and a way on. Drafts are in storage and survive. */
export function ErrorScreen({ error, reset }: ErrorComponentProps) {
  if (isPartMissing()) return <MissingPart />;
  return (
    <div role="alert">
      <EmptyState
        title="This part of the page broke"
        actions={
          <>
            <Button variant="primary" onClick={reset}>
              Try again
            </Button>
            <Button onClick={() => window.location.reload()}>Reload</Button>
          </>
        }
      >
        <p>Your drafts are kept.</p>
        <p className="mt-1 font-mono text-xs break-words">{error instanceof Error ? error.message : String(error)}</p>
      </EmptyState>
    </div>
  );
}

export function NotFoundScreen() {
  return (
    <>
      <PageTitle>No such page</PageTitle>
      <EmptyState
        title="There is no such page"
        actions={
          <>
            <Link to="/marketplace" className="inline-flex min-h-6 items-center text-link hover:underline">
              Find a model
            </Link>
            <Link to="/chat" className="inline-flex min-h-6 items-center text-link hover:underline">
              Chat
            </Link>
          </>
        }
      />
    </>
  );
}
