import { QueryClient } from "@tanstack/react-query";
import { expect, test, vi } from "vitest";
import { OtherTabs } from "./other-tabs";

function tab(): { client: QueryClient; tabs: OtherTabs } {
  const client = new QueryClient();
  client.setQueryData(["balance", "token"], 5);
  client.setQueryData(["models"], []);
  return { client, tabs: new OtherTabs(client) };
}

const stale = ({ client }: { client: QueryClient }, key: string[]) => client.getQueryState(key)?.isInvalidated;

test("a balance that was spent in one tab is not shown for good in another", async () => {
  const [one, two] = [tab(), tab()];
  void one.client.invalidateQueries({ queryKey: ["balance"] });
  await vi.waitFor(() => expect(stale(two, ["balance", "token"])).toBe(true));
  expect(stale(two, ["models"])).toBe(false);
});

test("two tabs do not tell each other the same news for ever", async () => {
  const [one, two] = [tab(), tab()];
  const told = vi.fn();
  new BroadcastChannel("marketplace.tabs").addEventListener("message", told);
  void one.client.invalidateQueries({ queryKey: ["models"] });
  await vi.waitFor(() => expect(stale(two, ["models"])).toBe(true));
  expect(told).toHaveBeenCalledOnce();
});

test("a chat that is deleted in one tab is known to be gone in the other", async () => {
  const [one, two] = [tab(), tab()];
  const heard = vi.fn();
  two.tabs.onChat(heard);
  one.tabs.tellChat("conv_1", true);
  await vi.waitFor(() => expect(heard).toHaveBeenCalledWith("conv_1", true));
});
