import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/shared/api/services";
import { perMillion } from "@/shared/lib/format";
import { Badge } from "@/shared/ui/badge";
import { Button } from "@/shared/ui/button";
import { Input } from "@/shared/ui/input";
import { type Act, ActDialog, ActField } from "./act-dialog";
import { type FoundOffer, foundOffersQuery, setOfferPrice, switchOffer } from "./operating-api";
import { PricesPart } from "./prices-part";
import { Pages, Section, Table } from "./table";

/** What is offered: at which price, whether it is called and why not; own prices for what has none. */
export function ModelsPart() {
  const api = useApi();
  const asked = new URLSearchParams(window.location.search);
  const [words, setWords] = useState("");
  const [provider, setProvider] = useState(asked.get("provider") ?? "");
  const [unpriced, setUnpriced] = useState(asked.get("unpriced") === "true");
  const [act, setAct] = useState<Act | null>(null);
  const query = useInfiniteQuery(
    foundOffersQuery(api, { q: words, provider: provider || undefined, unpriced: unpriced ? "true" : undefined }),
  );
  const rows = query.data?.pages.flatMap((page) => page.offers) ?? [];
  return (
    <div className="flex flex-col gap-6">
      <Section title="Price changes that wait">
        <PricesPart />
      </Section>
      <Section title="Offers">
        <div className="flex flex-wrap items-center gap-3">
          <Input
            aria-label="Find offers by provider or model"
            placeholder="Provider or model"
            className="max-w-sm"
            value={words}
            onChange={({ target }) => setWords(target.value)}
          />
          {provider && (
            <Button size="sm" onClick={() => setProvider("")}>
              Only {provider}: show all
            </Button>
          )}
          <label className="flex items-center gap-2">
            <input
              type="checkbox"
              className="size-4 accent-accent"
              checked={unpriced}
              onChange={({ target }) => setUnpriced(target.checked)}
            />
            Without a price
          </label>
        </div>
        <Pages query={query}>
          <Table
            name="Offers"
            columns={["Offer", "Tier", "In, per 1M tokens", "Out, per 1M tokens", "Price from", "Called", "Acts"]}
            rows={rows}
            keyOf={(row) => row.offer}
            empty="No such offer."
            cells={(row) => [
              row.offer,
              <Badge key="tier">{row.tier}</Badge>,
              row.input === null ? "none" : perMillion(row.input),
              row.output === null ? "none" : perMillion(row.output),
              row.price_source,
              row.why_not ?? "yes",
              <Acts key="acts" row={row} onAct={setAct} />,
            ]}
          />
        </Pages>
      </Section>
      {act && <ActDialog act={act} onClose={() => setAct(null)} />}
    </div>
  );
}

function Acts({ row, onAct }: { row: FoundOffer; onAct: (act: Act) => void }) {
  const api = useApi();
  const price = (side: "input" | "output", label: string) => (
    <ActField
      label={label}
      name={side}
      inputMode="decimal"
      pattern="\d+(\.\d{1,9})?"
      defaultValue={row[side] === null ? "" : String(row[side])}
    />
  );
  return (
    <span className="flex flex-wrap gap-1">
      <Button
        size="sm"
        aria-label={`Price… ${row.offer}`}
        onClick={() =>
          onAct({
            title: `Your price of ${row.offer}`,
            words: "What the provider takes; the mark-up comes on top. Calls under way keep theirs.",
            button: "Set the price",
            password: true,
            fields: (
              <>
                {price("input", "Dollars per 1M input tokens")}
                {price("output", "Dollars per 1M output tokens")}
              </>
            ),
            run: ({ input = "", output = "", reason, password }) =>
              setOfferPrice(api, { offer: row.offer, input, output, reason, password }),
          })
        }
      >
        Price…
      </Button>
      <Button
        size="sm"
        aria-label={`${row.off ? "Switch on" : "Switch off"} ${row.offer}`}
        onClick={() =>
          onAct({
            title: row.off ? `Call ${row.offer} again?` : `Stop calling ${row.offer} on your account?`,
            button: row.off ? "Switch it on" : "Switch it off",
            danger: !row.off,
            run: ({ reason }) => switchOffer(api, { offer: row.offer, off: !row.off, reason }),
          })
        }
      >
        {row.off ? "Switch on" : "Switch off"}
      </Button>
    </span>
  );
}
