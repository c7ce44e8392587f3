import { createFileRoute } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { ConnectPage } from "@/features/connect/connect-page";

export const Route = createFileRoute("/connect")({
  component: () => (
    <>
      <PageTitle>Connect an editor</PageTitle>
      <ConnectPage />
    </>
  ),
});
