import { useQueries, useQuery } from "@tanstack/react-query";
import type { ChatModel } from "@/features/chat/models/models";
import { estimateCost, type WireMessage } from "@/features/chat/talk/chat-api";
import { modelsQuery } from "@/shared/api/queries";
import { useApi, useSession } from "@/shared/api/services";
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
  const asked = images.length > 0 && model.takesImages;
  const { estimate } = useEstimate(asked ? { model: model.id, messages: pictured(images) } : null);
  return estimate ? readingWords(estimate.estimate.input_tokens, model.inputPrice) : null;
}

/** A question that has pictures, and nothing else to count. */
function pictured(images: readonly string[]): WireMessage[] {
  const pictures = images.map((url) => ({ type: "image_url" as const, image_url: { url } }));
  return [{ role: "user", content: [{ type: "text", text: "." }, ...pictures] }];
}

/** The same for several models that are asked at once: each counts a picture in its own way. `blind`: those that take none, by name. */
export function usePicturesOfAll(models: readonly string[], images: string[]): { words: string | null; blind: string[] } {
  const api = useApi();
  const { token } = useSession();
  const catalogue = useQuery(modelsQuery(api)).data;
  const asked = images.length ? models.flatMap((id) => catalogue?.find((model) => model.id === id) ?? []) : [];
  const seeing = asked.filter((model) => model.capabilities.includes("vision"));
  const counts = useQueries({
    queries: seeing.map(({ id }) => ({
      queryKey: ["estimate", token, "pictures", id, images],
      queryFn: ({ signal }: { signal: AbortSignal }) => estimateCost(api, { model: id, messages: pictured(images) }, signal),
      enabled: token !== null,
      staleTime: 30_000,
      gcTime: 60_000,
      retry: false,
    })),
  }).map(({ data }) => data?.estimate.input_tokens);
  const blind = asked.filter((model) => !seeing.includes(model)).map(({ name }) => name);
  if (!counts.length || counts.some((each) => each === undefined)) return { words: null, blind };
  const cost = seeing.reduce((sum, { prices }, at) => sum + Number(prices?.input ?? 0) * (counts[at] ?? 0), 0);
  const size = `at most ${tokens(Math.max(...(counts as number[])))} tokens each`;
  return { words: `${size}, ${cost === 0 ? "free" : `about ${money(cost / 1_000_000)} for all`}`, blind };
}
