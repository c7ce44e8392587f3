import type { ApiClient } from "@/shared/api/client";
import { saveFile } from "@/shared/lib/save-file";
import { exportConversation } from "./chat-api";
import type { ChatMessage } from "./chat-message";
import { messageFacts } from "./message-facts";

export type SaveFormat = "markdown" | "json";

const extension = { markdown: "md", json: "json" };

/** Saves a stored chat as the server exports it. */
export async function saveConversation(api: ApiClient, id: string, title: string, format: SaveFormat): Promise<void> {
  saveFile(await exportConversation(api, id, format), fileName(title, format));
}

/** Saves what is on the page: a temporary chat exists nowhere else. */
export function savePath(path: readonly ChatMessage[], title: string, format: SaveFormat): void {
  const text = format === "json" ? JSON.stringify(path.map(plain), null, 2) : toMarkdown(path, title);
  saveFile(new Blob([text], { type: format === "json" ? "application/json" : "text/markdown" }), fileName(title, format));
}

/** A chat as Markdown, with who wrote each answer and what it cost. */
export function toMarkdown(path: readonly ChatMessage[], title: string): string {
  const parts = path.map((message) => {
    if (message.role === "user") return `## You\n\n${message.content}`;
    const facts = messageFacts(message).join(" · ");
    const writer = [message.model, message.provider].filter(Boolean).join(" · ");
    return `## ${writer || "Answer"}\n\n${message.content}${facts ? `\n\n*${facts}*` : ""}`;
  });
  return `# ${title}\n\n${parts.join("\n\n")}\n`;
}

function plain({ role, content, createdAt, model, provider, cost, usage }: ChatMessage) {
  return { role, content, timestamp: createdAt, model, provider, cost, usage };
}

function fileName(title: string, format: SaveFormat): string {
  const words = title
    .normalize("NFKD")
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 60);
  return `${words || "chat"}.${extension[format]}`;
}
