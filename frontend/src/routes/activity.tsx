import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { ActivityPage } from "@/features/activity/activity-page";
import { type FilterSearch, filtersFromSearch, searchFromFilters } from "@/shared/usage/filters";

export const Route = createFileRoute("/activity")({
  // What it says is read with the page, not with the first load.
  validateSearch: (search: Record<string, unknown>): FilterSearch & { receipt?: string } => search,
  component: ActivityRoute,
});

function ActivityRoute() {
  const search = Route.useSearch();
  const navigate = useNavigate();
  return (
    <>
      <PageTitle>Activity</PageTitle>
      <ActivityPage
        filters={filtersFromSearch(search)}
        onFilters={(filters) => void navigate({ to: "/activity", search: searchFromFilters(filters) })}
        receipt={typeof search.receipt === "string" ? search.receipt : null}
        onReceipt={(receipt) => void navigate({ to: "/activity", search: { ...search, receipt: receipt ?? undefined } })}
      />
    </>
  );
}
