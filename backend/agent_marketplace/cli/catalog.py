"""`catalog`: what is in the catalogue, its public price lists, and changes that wait for the operator."""

from typing import Annotated

import typer

from agent_marketplace.app import Market
from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.catalog.store import Review
from agent_marketplace.catalog.sync import FEEDS, MAX_BYTES, Fetch, Fetched
from agent_marketplace.cli.common import (
    FAILED,
    USAGE,
    Json,
    database_file,
    example,
    fail,
    load_settings,
    show,
    table,
    with_market,
)
from agent_marketplace.cli.progress import progress
from agent_marketplace.ledger import Price, dollars, nano
from agent_marketplace.net.factory import make_client
from agent_marketplace.net.http import OutboundClient, OutboundRequest

app = typer.Typer(no_args_is_help=True)
ReviewId = Annotated[str, typer.Argument(help="The review's id, from `catalog reviews`")]


@app.command("show", epilog=example("catalog show claude --limit 5"))
def show_catalog(
    query: Annotated[str, typer.Argument(help="A model's name, or words to search for")] = "",
    as_json: Json = False,
    limit: Annotated[int, typer.Option(min=1, max=5000, help="How many at most")] = 20,
) -> None:
    """Search the catalogue with the prices in force here; without words, the best known models."""
    settings = load_settings()
    if settings.embedded and not database_file(settings).exists():
        _list_models(MarketplaceRegistry(), query, limit, as_json)
        return

    async def work(market: Market) -> None:
        await market.catalog.load()
        _list_models(market.registry, query, limit, as_json)

    with_market(work)


def _list_models(registry: MarketplaceRegistry, query: str, limit: int, as_json: bool) -> None:
    found = registry.search_models(query)[:limit]
    if not found:
        fail("nothing was found")
    if as_json:
        for model in found:
            show(model.to_dict(), as_json=True, text="")
        return
    rows = []
    for model in found:
        prices = model.to_dict()["prices"] or {}
        price = f"${prices.get('input', '?')} / ${prices.get('output', '?')}"
        rows.append((model.id, model.name, model.provider, price, model.context_window, model.offers_count))
    print(table(rows, ("ID", "NAME", "PROVIDER", "$ PER 1M IN / OUT", "CONTEXT", "OFFERS")))


@app.command(
    "sync",
    epilog=example(
        "catalog sync", "catalog sync --feed models.dev --url https://mirror.example.com/api.json"
    ),
)
def sync(
    feed: Annotated[
        list[str] | None, typer.Option(help="Only this feed (may be repeated); default: all")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Read the one feed from this mirror of your own instead")
    ] = None,
    as_json: Json = False,
) -> None:
    """Refresh prices and models from public lists. Suspicious changes wait: see `catalog reviews`. Exit 1 if no feed was read."""
    known = {f.name: f for f in FEEDS}
    unknown = [name for name in feed or () if name not in known]
    if unknown:
        fail(f"unknown feed {unknown[0]}; known: {', '.join(known)}", USAGE)
    chosen = [known[name] for name in feed or known]
    if url is not None and len(chosen) != 1:
        fail("--url needs exactly one --feed", USAGE)

    async def work(market: Market) -> bool:
        await market.catalog.load()
        client = make_client(market.settings)
        read = 0
        try:
            for done, one in enumerate(chosen):
                with progress(f"Reading {one.name}") as shown:
                    shown.tell(done, len(chosen))
                    (report,) = await market.catalog.sync(_fetcher(client, url), [one])
                read += report.outcome != "failed"
                words = report.problem or (
                    f"{report.prices} prices, {report.new_models} new models, {report.new_offers} new offers, "
                    f"{report.to_review} to review"
                )
                show(report, as_json=as_json, text=f"{report.name}: {report.outcome} ({words})")
        finally:
            await client.close()
        return read > 0

    if not with_market(work, begins=True):
        raise typer.Exit(FAILED)


@app.command("reviews", epilog=example("catalog reviews"))
def reviews(as_json: Json = False) -> None:
    """List price changes that wait: moves by more than a factor of three, to zero or from zero."""

    async def work(market: Market) -> None:
        waiting = await market.catalog.reviews()
        if as_json:
            for review in waiting:
                show(review, as_json=True, text="")
        else:
            rows = [
                (r.review_id, r.offer_id, _price(r.old_price), _price(r.new_price), r.source, r.reason)
                for r in waiting
            ]
            print(table(rows, ("ID", "OFFER", "OLD $ PER 1M", "NEW $ PER 1M", "SOURCE", "WHY")))

    with_market(work)


@app.command("accept", epilog=example("catalog accept REVIEW_ID"))
def accept(review_id: ReviewId, as_json: Json = False) -> None:
    """Put a waiting price in force; running servers charge it within a second."""
    with_market(lambda market: _decide(market, review_id, accept=True, as_json=as_json))


@app.command("reject", epilog=example("catalog reject REVIEW_ID"))
def reject(review_id: ReviewId, as_json: Json = False) -> None:
    """Refuse a waiting price; the old one stays, and the same change is not asked about again."""
    with_market(lambda market: _decide(market, review_id, accept=False, as_json=as_json))


@app.command("price", epilog=example("catalog price openai/gpt-4o-mini 0.15 0.60"))
def set_price(
    offer: Annotated[str, typer.Argument(help="provider/model, for example openai/gpt-4o-mini")],
    input_price: Annotated[str, typer.Argument(metavar="INPUT", help="Dollars per 1M input tokens")],
    output_price: Annotated[str, typer.Argument(metavar="OUTPUT", help="Dollars per 1M output tokens")],
    as_json: Json = False,
) -> None:
    """Set your own price for an offer; calls under way keep the price they were admitted at."""
    try:
        price = Price(input=nano(input_price), output=nano(output_price))
    except ValueError as error:
        fail(str(error), USAGE)

    async def work(market: Market) -> None:
        await market.catalog.load()
        await market.catalog.set_price(offer, price)
        told = {"offer": offer, "input": input_price, "output": output_price}
        show(told, as_json=as_json, text=f"{offer} now costs {_price(price)} per 1M tokens.")

    with_market(work, begins=True)


async def _decide(market: Market, review_id: str, *, accept: bool, as_json: bool) -> None:
    await market.catalog.load()
    review: Review = await market.catalog.decide(review_id, accept=accept)
    text = f"{review.offer_id}: {'the new price is in force' if accept else 'the old price stays'}."
    show({"offer": review.offer_id, "accepted": accept}, as_json=as_json, text=text)


def _price(price: Price | None) -> str:
    if price is None:
        return "none"
    shown = ("-" if part is None else f"${dollars(part)}" for part in (price.input, price.output))
    return " / ".join(shown)


def _fetcher(client: OutboundClient, mirror: str | None) -> Fetch:
    """mirror: the operator's own copy of the feed, which may be at a private address."""

    async def fetch(url: str, etag: str | None) -> Fetched:
        headers = {"accept": "application/json"} | ({"if-none-match": etag} if etag else {})
        request = OutboundRequest(
            "GET", mirror or url, headers, allow_private=mirror is not None, max_body=MAX_BYTES
        )
        answer = await client.send(request)
        return Fetched(answer.status, await answer.read(MAX_BYTES), answer.headers.get("etag"))

    return fetch
