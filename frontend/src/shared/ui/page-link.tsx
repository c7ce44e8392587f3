import type { AnchorHTMLAttributes, MouseEvent } from "react";
import { useHost } from "@/shared/api/services";

interface PageLinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href" | "onClick"> {
  /** The address of what is opened, from the root. */
  to: string;
  /** Opens it in this page. */
  onFollow: () => void;
}

/** A link that the page follows itself on a plain click; in a new tab or window, or copied, it is the browser's own. */
export function PageLink({ to, onFollow, children, ...props }: PageLinkProps) {
  const { apiBase } = useHost();
  return (
    <a
      {...props}
      href={apiBase + to}
      onClick={(event) => {
        if (!isPlainClick(event)) return;
        event.preventDefault();
        onFollow();
      }}
    >
      {children}
    </a>
  );
}

/** False for a click that asks for another tab, another window, or to save. */
export function isPlainClick(event: MouseEvent): boolean {
  return event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
}
