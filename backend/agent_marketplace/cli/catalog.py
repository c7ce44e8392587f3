"""`catalog`: what is in the catalogue."""

from typing import Annotated

import typer

from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.cli.common import fail, show, table

app = typer.Typer(no_args_is_help=True, help="The catalogue of models and offers.")


@app.command("show")
def show_catalog(
    query: Annotated[str, typer.Argument(help="A model's name, or words to search for")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line")] = False,
    limit: Annotated[int, typer.Option(min=1, max=5000)] = 20,
) -> None:
    """Search the catalogue; without words, the best known models."""
    registry = MarketplaceRegistry()
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
