import type { ReactNode } from "react";
import { useSession } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { EmptyState } from "@/shared/ui/notice";

/** What a page shows to nobody: what it is for, and the way in. */
export function SignedOut({ children }: { children?: ReactNode }) {
  const { session } = useSession();
  return (
    <EmptyState
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
