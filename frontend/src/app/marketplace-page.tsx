import { useAgentsBeside } from "@/app/agents-beside";
import type { AppSearch } from "@/app/app-search";
import { PageTitle } from "@/app/page-title";
import { useMarketUrl } from "@/app/use-market-url";
import { useSelectedModel } from "@/app/use-selected-model";
import { useStartChat } from "@/app/use-start-chat";
import { useWorkspace } from "@/app/workspace";
import { AIMarketplacePanel } from "@/features/marketplace/AIMarketplacePanel";

/** The marketplace alone, with its filters beside the cards. */
export function MarketplacePage({ search }: { search: AppSearch }) {
  const { searchRef } = useWorkspace();
  const { state, change } = useMarketUrl(search, "/marketplace");
  const start = useStartChat(null);
  const viewed = useSelectedModel(state.view);
  const beside = useAgentsBeside();
  return (
    <>
      <PageTitle>{viewed?.name ?? "Marketplace"}</PageTitle>
      <h1 className="sr-only">Marketplace</h1>
      <AIMarketplacePanel
        state={state}
        onStateChange={change}
        onSelectModel={start}
        selectedModelId={search.model}
        searchRef={searchRef}
        beside={beside}
      />
    </>
  );
}
