import { createFileRoute } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { LeaderboardPage } from "@/features/leaderboard/leaderboard-page";

export const Route = createFileRoute("/leaderboard")({ component: LeaderboardRoute });

function LeaderboardRoute() {
  return (
    <>
      <PageTitle>Leaderboard</PageTitle>
      <LeaderboardPage />
    </>
  );
}
