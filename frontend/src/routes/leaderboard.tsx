import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { LeaderboardPage } from "@/features/leaderboard/leaderboard-page";

export const Route = createFileRoute("/leaderboard")({ component: LeaderboardRoute });

function LeaderboardRoute() {
  const navigate = useNavigate();
  return (
    <>
      <PageTitle>Leaderboard</PageTitle>
      <LeaderboardPage
        onOpen={(view) => void navigate({ to: "/marketplace", search: { view } })}
        onCompare={(models) => void navigate({ to: "/compare", search: { models: models.join(",") } })}
      />
    </>
  );
}
