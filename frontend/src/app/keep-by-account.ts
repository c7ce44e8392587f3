import { bringChats, forgetChats, leaveDraft, losesDrafts } from "@/features/chat/talk/chat-memory";
import { memoryPlace } from "@/features/chat/talk/chats";
import { bringImages, forgetImages } from "@/features/chat/talk/draft-images";
import type { Workbench } from "@/features/workbench/workbench-store";
import type { Services } from "@/shared/api/services";

/** What this browser keeps (files, drafts) belongs to an account, and goes when its owner signs out. */
export function keepByAccount(services: Services, workbench: Workbench): void {
  const { host, session } = services;
  let { account } = session.getState();
  session.onSignOut.add((leaving) => {
    forgetChats(host.storage, leaving);
    void forgetImages(host.shelf, leaving);
    void workbench.forget();
  });
  session.subscribe(() => {
    const next = session.getState().account;
    if (next === account) return;
    if (account === "") {
      bringChats(host.storage, next);
      void bringImages(host.shelf, next);
    }
    account = next;
    void workbench.belongTo(next);
  });
  void workbench.belongTo(account);
  window.addEventListener("pagehide", () => {
    void workbench.flush();
    leaveDraft(memoryPlace(services));
  });
  window.addEventListener("beforeunload", (event) => {
    void workbench.flush();
    // A write that is under way ends although the page goes; only what can't be kept at all is worth a question.
    const files = workbench.store.getState().keeping === "failed" && workbench.unsaved.length > 0;
    if (files || losesDrafts(host.storage, account)) event.preventDefault();
  });
}
