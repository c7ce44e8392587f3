import type { QueryClient, QueryKey } from "@tanstack/react-query";

/** What a tab tells the same browser's others: reads that an act of its own has made stale, and what became of a chat. */
type News = { stale: QueryKey } | { chat: string; gone: boolean };

/**
 * Keeps what several tabs show in step. Whatever this tab invalidates after an act (a key saved, a chat renamed, money spent) is
 * invalidated in the others too: at once where they are seen, else when their reader comes back.
 */
export class OtherTabs {
  private readonly channel: BroadcastChannel | null;
  private readonly listeners = new Set<(id: string, gone: boolean) => void>();
  private waiting: QueryKey[] = [];

  constructor(client: QueryClient) {
    this.channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("marketplace.tabs");
    this.channel?.addEventListener("message", ({ data }: MessageEvent<News>) => this.hear(data));
    const invalidate = client.invalidateQueries.bind(client);
    client.invalidateQueries = (filters, options) => {
      this.tell({ stale: filters?.queryKey ?? [] });
      return invalidate(filters, options);
    };
    this.refresh = (queryKey) => void invalidate({ queryKey });
    document.addEventListener("visibilitychange", () => this.flush());
  }

  /** Of a chat: something was asked, answered, renamed; or it was deleted. */
  tellChat(id: string, gone = false): void {
    this.tell({ chat: id, gone });
  }

  onChat(listener: (id: string, gone: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private readonly refresh: (queryKey: QueryKey) => void;

  private tell(news: News): void {
    try {
      this.channel?.postMessage(news);
    } catch {
      // A key that can't be copied: the others learn it at their next reading.
    }
  }

  private hear(news: News): void {
    if ("chat" in news) {
      for (const listener of this.listeners) listener(news.chat, news.gone);
      return;
    }
    const known = this.waiting.some((key) => JSON.stringify(key) === JSON.stringify(news.stale));
    if (!known) this.waiting.push(news.stale);
    this.flush();
  }

  private flush(): void {
    if (document.visibilityState === "hidden") return;
    const keys = this.waiting;
    this.waiting = [];
    for (const key of keys) this.refresh(key);
  }
}
