import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { AdminPage } from "@/features/admin/admin-page";
import { isPart, type Part } from "@/features/admin/parts";

export const Route = createFileRoute("/admin")({
  validateSearch: (search: Record<string, unknown>): { part?: Part } => (isPart(search.part) ? { part: search.part } : {}),
  component: AdminRoute,
});

function AdminRoute() {
  const { part } = Route.useSearch();
  const navigate = useNavigate();
  return (
    <>
      <PageTitle>Administration</PageTitle>
      <AdminPage part={part ?? "overview"} onPart={(next) => void navigate({ to: "/admin", search: { part: next } })} />
    </>
  );
}
