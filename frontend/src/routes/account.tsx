import { createFileRoute } from "@tanstack/react-router";
import { useLeave } from "@/app/leave-dialog";
import { PageTitle } from "@/app/page-title";
import { AccountPage } from "@/features/account/account-page";

export const Route = createFileRoute("/account")({ component: AccountRoute });

function AccountRoute() {
  return (
    <>
      <PageTitle>Account</PageTitle>
      <AccountPage onLeave={useLeave()} />
    </>
  );
}
