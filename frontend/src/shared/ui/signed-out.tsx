import type { ReactNode } from "react";
import { useSession } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { EmptyState } from "@/shared/ui/notice";

/** What a page shows to nobody: what it is for, and the way in. */
export function SignedOut({ icon, children }: { icon?: ReactNode; children?: ReactNode }) {
  const { session } = useSession();
  return (
    <EmptyState
      icon={icon}
      title="You are not signed in"
      actions={
        <Button variant="primary" onClick={() => void session.require("asked")}>
          Sign in
        </Button>
      }
    >
      {children}
    </EmptyState>
  );
}
