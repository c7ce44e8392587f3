import { createFileRoute } from "@tanstack/react-router";
import { appSearch, marketState } from "@/app/app-search";
import { WorkbenchPage } from "@/app/workbench-page";
import { prefetchModels } from "@/features/marketplace/use-market-models";

export const Route = createFileRoute("/")({
  validateSearch: appSearch,
  loader: ({ context: { services }, location }) =>
    prefetchModels(services.queryClient, services.api, marketState(location.search)),
  component: () => <WorkbenchPage search={Route.useSearch()} />,
});
