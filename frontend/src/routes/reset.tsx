import { createFileRoute } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { ResetPage } from "@/features/auth/by-link-page";

export const Route = createFileRoute("/reset")({
  component: () => (
    <>
      <PageTitle>Choose a new password</PageTitle>
      <ResetPage />
    </>
  ),
});
