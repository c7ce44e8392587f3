import { createFileRoute } from "@tanstack/react-router";
import { PageTitle } from "@/app/page-title";
import { DevicePage } from "@/features/connect/device-page";

export const Route = createFileRoute("/device")({
  validateSearch: ({ code }: Record<string, unknown>): { code?: string } => ({
    code: typeof code === "string" && code ? code : undefined,
  }),
  component: Device,
});

function Device() {
  const { code } = Route.useSearch();
  return (
    <>
      <PageTitle>Let a program in</PageTitle>
      <DevicePage code={code} />
    </>
  );
}
