import { useQuery } from "@tanstack/react-query";
import { Link2Off } from "lucide-react";
import { Markdown } from "@/features/chat/markdown/markdown";
import { useApi } from "@/shared/api/services";
import { moment } from "@/shared/lib/format";
import { EmptyState } from "@/shared/ui/notice";
import { Skeleton } from "@/shared/ui/skeleton";
import "@/features/chat/chat.css";
import { LoadFailed } from "@/shared/ui/load-failed";
import { sharedQuery } from "./library-api";

/** A chat that somebody shared, for anybody with its link: read only. */
export function SharedPage({ token }: { token: string }) {
  const found = useQuery(sharedQuery(useApi(), token));
  const chat = found.data?.chat;
  const gone = found.error !== null && "status" in found.error && found.error.status === 404;
  return (
    <div className="chat-root h-full overflow-y-auto bg-editor text-editor-fg">
      <article className="mx-auto flex w-full max-w-3xl flex-col gap-4 px-4 py-6">
        {chat && (
          <>
            <header>
              <h1 className="text-xl font-semibold break-words">{chat.title}</h1>
              <p className="text-sm text-muted">
                A chat that somebody shared, as it was on {moment(chat.shared_at)}. Answers by models may be wrong.
              </p>
            </header>
            <ol className="flex flex-col gap-4">
              {chat.messages.map(({ role, content, model, images, created_at }, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: it never changes while it is read
                <li key={index} className={role === "user" ? "rounded-lg bg-raised px-3 py-2" : ""}>
                  <h2 className="mb-1 text-xs text-muted">
                    <span className="font-medium text-fg">{role === "user" ? "Question" : (model ?? "Answer")}</span> ·{" "}
                    {moment(created_at)}
                  </h2>
                  {role === "user" ? (
                    <p dir="auto" className="break-words whitespace-pre-wrap">
                      {content}
                    </p>
                  ) : (
                    <Markdown text={content} />
                  )}
                  {images > 0 && (
                    <p className="mt-1 text-xs text-muted">
                      {images === 1 ? "A picture is" : `${images} pictures are`} not shown.
                    </p>
                  )}
                </li>
              ))}
            </ol>
          </>
        )}
        {found.isLoading && <Skeleton className="h-64" />}
        {gone && (
          <EmptyState icon={<Link2Off aria-hidden />} title="This link leads nowhere">
            It was taken back, or its chat was deleted.
          </EmptyState>
        )}
        {found.error && !gone && <LoadFailed what="This chat" error={found.error} onRetry={() => void found.refetch()} />}
      </article>
    </div>
  );
}
