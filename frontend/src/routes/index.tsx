import { createFileRoute } from "@tanstack/react-router";
import { appSearch } from "@/app/app-search";
import { WorkbenchPage } from "@/app/workbench-page";
import { modelsQuery } from "@/shared/api/queries";

export const Route = createFileRoute("/")({
  validateSearch: appSearch,
  loader: ({ context }) => void context.services.queryClient.prefetchQuery(modelsQuery(context.services.api)),
  component: () => <WorkbenchPage search={Route.useSearch()} />,
});
