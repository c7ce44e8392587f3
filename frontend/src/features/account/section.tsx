import { type ReactNode, useId } from "react";

export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="rounded-lg border border-line bg-surface p-4">
      <div className="mb-3 flex items-center gap-3">
        <h2 id={id} className="min-w-0 flex-1 text-base font-semibold break-words">
          {title}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
