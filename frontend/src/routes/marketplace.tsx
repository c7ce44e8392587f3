import { createFileRoute } from "@tanstack/react-router";
import { appSearch, marketState } from "@/app/app-search";
import { MarketplacePage } from "@/app/marketplace-page";
import { prefetchModels } from "@/features/marketplace/use-market-models";

export const Route = createFileRoute("/marketplace")({
  validateSearch: appSearch,
  loader: ({ context: { services }, location }) =>
    prefetchModels(services.queryClient, services.api, marketState(location.search)),
  component: () => <MarketplacePage search={Route.useSearch()} />,
});
