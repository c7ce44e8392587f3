import { useMutation } from "@tanstack/react-query";
import { ThumbsDown, ThumbsUp } from "lucide-react";
import { useState } from "react";
import { useApi, useHost } from "@/shared/api/services";
import { IconButton } from "@/shared/ui/button";
import { useToast } from "@/shared/ui/toast";

type Thumb = "thumb_up" | "thumb_down" | "thumb_none";

const KEY = "marketplace.thumbs.";

/** Good or bad, said of one answer: it counts in what Q Assistant recommends, a paid answer's most. */
export function Thumbs({ requestId }: { requestId: string }) {
  const api = useApi();
  const toast = useToast();
  const { storage } = useHost();
  const [given, setGiven] = useState<Thumb>(() => (storage.getItem(KEY + requestId) as Thumb | null) ?? "thumb_none");
  const give = useMutation({
    mutationFn: (kind: Thumb) =>
      api.post(`/api/v1/marketplace/generations/${encodeURIComponent(requestId)}/signal`, { kind }),
    onError: (error) => toast({ title: `Your vote was not taken: ${error.message}` }),
    onSuccess: (_, kind) => {
      setGiven(kind);
      if (kind === "thumb_none") storage.removeItem(KEY + requestId);
      else storage.setItem(KEY + requestId, kind);
    },
  });
  const button = (kind: Thumb, label: string, Icon: typeof ThumbsUp) => (
    <IconButton
      size="sm"
      label={label}
      aria-pressed={given === kind}
      disabled={give.isPending}
      onClick={() => give.mutate(given === kind ? "thumb_none" : kind)}
    >
      <Icon aria-hidden className={given === kind ? "size-3.5 fill-current" : "size-3.5"} />
    </IconButton>
  );
  return (
    <>
      {button("thumb_up", "Good answer", ThumbsUp)}
      {button("thumb_down", "Bad answer", ThumbsDown)}
    </>
  );
}
