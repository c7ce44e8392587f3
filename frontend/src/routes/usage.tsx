import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { UsagePage } from "@/features/usage/usage-page";
import { type FilterSearch, filtersFromSearch, searchFromFilters } from "@/shared/usage/filters";

export const Route = createFileRoute("/usage")({
  // What it says is read with the page, not with the first load.
  validateSearch: (search: Record<string, unknown>): FilterSearch => search,
  component: UsageRoute,
});

function UsageRoute() {
  const search = Route.useSearch();
  const navigate = useNavigate();
  return (
    <>
      <PageTitle>Usage</PageTitle>
      <UsagePage
        filters={filtersFromSearch(search)}
        onFilters={(filters) => void navigate({ to: "/usage", search: searchFromFilters(filters) })}
      />
    </>
  );
}
