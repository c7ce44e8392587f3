import { createFileRoute } from "@tanstack/react-router";
import { appSearch } from "@/app/app-search";
import { MarketplacePage } from "@/app/marketplace-page";
import { modelsQuery } from "@/shared/api/queries";

export const Route = createFileRoute("/marketplace")({
  validateSearch: appSearch,
  loader: ({ context }) => void context.services.queryClient.prefetchQuery(modelsQuery(context.services.api)),
  component: () => <MarketplacePage search={Route.useSearch()} />,
});
