import { useMutation } from "@tanstack/react-query";
import { ThumbsDown, ThumbsUp } from "lucide-react";
import { useState } from "react";
import { useApi, useHost } from "@/shared/api/services";
import { thumbReasons } from "@/shared/receipt/receipt";
import { Button, IconButton } from "@/shared/ui/button";
import { NativeSelect } from "@/shared/ui/input";
import { useToast } from "@/shared/ui/toast";

type Thumb = "thumb_up" | "thumb_down" | "thumb_none";

const KEY = "marketplace.thumbs.";

interface ThumbsProps {
  requestId: string;
  /** What the account said of it before, where the server has told; else what this device remembers. */
  said?: { kind: string; reason: string | null } | null;
  /** Opens the receipt, where a bad answer's money is asked back; absent for what cost nothing. */
  onRefund?: () => void;
}

/** Good or bad, said of one answer, and why it was bad: it counts in what Q Assistant recommends, a paid answer's most. */
export function Thumbs({ requestId, said, onRefund }: ThumbsProps) {
  const api = useApi();
  const toast = useToast();
  const { storage } = useHost();
  const [given, setGiven] = useState<Thumb>(
    () => ((said === undefined ? storage.getItem(KEY + requestId) : said?.kind) as Thumb | null | undefined) ?? "thumb_none",
  );
  const [why, setWhy] = useState(said?.reason ?? "");
  const give = useMutation({
    mutationFn: ({ kind, reason }: { kind: Thumb; reason: string }) =>
      api.post(`/api/v1/marketplace/generations/${encodeURIComponent(requestId)}/signal`, { kind, reason }),
    onError: (error) => toast({ title: `Your vote was not taken: ${error.message}` }),
    onSuccess: (_, { kind, reason }) => {
      setGiven(kind);
      setWhy(reason);
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
      onClick={() => give.mutate({ kind: given === kind ? "thumb_none" : kind, reason: "" })}
    >
      <Icon aria-hidden className={given === kind ? "size-3.5 fill-current" : "size-3.5"} />
    </IconButton>
  );
  return (
    <>
      {button("thumb_up", "Good answer", ThumbsUp)}
      {button("thumb_down", "Bad answer", ThumbsDown)}
      {given === "thumb_down" && (
        <NativeSelect
          aria-label="Why it was bad"
          className="h-6 text-xs"
          value={why}
          disabled={give.isPending}
          onChange={({ target }) => give.mutate({ kind: "thumb_down", reason: target.value })}
        >
          <option value="">Why?</option>
          {Object.entries(thumbReasons).map(([reason, words]) => (
            <option key={reason} value={reason}>
              {words}
            </option>
          ))}
        </NativeSelect>
      )}
      {given === "thumb_down" && onRefund && (
        <Button size="sm" onClick={onRefund}>
          Ask for a refund…
        </Button>
      )}
    </>
  );
}
