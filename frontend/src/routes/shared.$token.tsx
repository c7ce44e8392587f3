import { createFileRoute } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { SharedPage } from "@/features/chat/library/shared-page";

export const Route = createFileRoute("/shared/$token")({ component: SharedRoute });

function SharedRoute() {
  const { token } = Route.useParams();
  return (
    <>
      <PageTitle>A shared chat</PageTitle>
      <SharedPage token={token} />
    </>
  );
}
