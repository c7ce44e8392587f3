import { createFileRoute } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { ConfirmPage } from "@/features/auth/by-link-page";

export const Route = createFileRoute("/confirm")({
  component: () => (
    <>
      <PageTitle>Confirm your address</PageTitle>
      <ConfirmPage />
    </>
  ),
});
