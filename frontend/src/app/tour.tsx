import { useNavigate } from "@tanstack/react-router";
import { chatsOf } from "@/features/chat/talk/chats";
import { GuidedTour } from "@/features/tour/guided-tour";
import type { TourPlace } from "@/features/tour/steps";
import { useServices } from "@/shared/api/services";

/** The guided tour over the app's own pages. */
export function Tour({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const services = useServices();
  const go = async ({ page, pane, task, draft }: TourPlace) => {
    if (page === "account") return navigate({ to: "/account" });
    if (page === "connect") return navigate({ to: "/connect" });
    if (page === "last-chat") return navigate({ to: "/chat", search: { chat: await lastChat() } });
    if (draft && !hasDraft()) chatsOf(services).get(null).addToDraft(draft);
    return navigate({
      to: "/",
      search: (before) => ({ ...before, pane, view: undefined, ...(task === undefined ? {} : { q: task || undefined }) }),
    });
  };
  const hasDraft = () => chatsOf(services).get(null).memory.read("draft", null).trim() !== "";
  const lastChat = async () => {
    const reply = await services.api
      .get<{ conversations: { id: string }[] }>("/api/v1/agents/conversations", { query: { limit: 1 } })
      .catch(() => null);
    return reply?.conversations[0]?.id;
  };
  return <GuidedTour onGo={(place) => void go(place)} onClose={onClose} />;
}
