import type { ChatModel } from "@/features/chat/models/models";
import type { WireMessage } from "@/features/chat/talk/chat-api";
import { money, tokens } from "@/shared/lib/format";
import { useEstimate } from "./estimate";

/** What so many tokens are to read: about 1.2K tokens, and their price where the model's is known (dollars per million tokens). */
export function readingWords(count: number, inputPrice: number | null): string {
  const size = `about ${tokens(count)} tokens`;
  if (inputPrice === null) return size;
  return `${size}, ${inputPrice === 0 ? "free" : money((count * inputPrice) / 1_000_000)}`;
}

/** What the pictures add to a message, by the server's own count for the model; null until it is known. */
export function usePicturesWords(model: ChatModel, images: string[]): string | null {
  const content: WireMessage["content"] = [
    { type: "text", text: "." },
    ...images.map((url) => ({ type: "image_url" as const, image_url: { url } })),
  ];
  const asked = images.length > 0 && model.takesImages;
  const { estimate } = useEstimate(asked ? { model: model.id, messages: [{ role: "user", content }] } : null);
  return estimate ? readingWords(estimate.estimate.input_tokens, model.inputPrice) : null;
}
