import { Skeleton } from "@/shared/ui/skeleton";

/** A stored chat on its way: the shape of a few messages. */
export function LoadingChat() {
  return (
    <div aria-busy="true" className="mx-auto flex w-full max-w-3xl flex-col gap-6 p-4">
      <p className="sr-only" role="status">
        Loading the chat
      </p>
      {["w-1/2", "w-2/3"].map((width) => (
        <div key={width} className="flex flex-col gap-6">
          <Skeleton className={`h-10 self-end ${width}`} />
          <div className="flex flex-col gap-2">
            <Skeleton className="h-3 w-32" />
            <Skeleton className="h-3 w-full" />
            <Skeleton className="h-3 w-full" />
            <Skeleton className="h-3 w-3/4" />
          </div>
        </div>
      ))}
    </div>
  );
}
