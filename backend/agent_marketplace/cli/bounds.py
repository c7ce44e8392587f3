"""`bounds`: offers that billed more than was held for them."""

from typing import Annotated

import typer

from agent_marketplace.cli.common import Json, example, show, table, with_books
from agent_marketplace.gateway import store
from agent_marketplace.opening import Books

bounds = typer.Typer(no_args_is_help=True)


@bounds.command("list", epilog=example("bounds list"))
def list_bounds(as_json: Json = False) -> None:
    """Offers and kinds of calls whose bound failed: they are held for at the model's largest input. Empty where all held."""

    async def work(books: Books) -> None:
        found = await books.db.read(store.broken)
        rows = [(b.provider, b.upstream_id, b.shape, b.held_nano, b.cost_nano, b.request_id) for b in found]
        header = ("PROVIDER", "MODEL THERE", "KIND", "HELD (NANO)", "COST (NANO)", "REQUEST")
        show(found, as_json=as_json, text=table(rows, header))

    with_books(work)


@bounds.command("clear", epilog=example("bounds clear openai gpt-4o-mini"))
def clear(
    provider: Annotated[str, typer.Argument(help="Its name, as `bounds list` shows it.")],
    upstream_id: Annotated[str, typer.Argument(help="The model's name there.")],
    kind: Annotated[str | None, typer.Argument(help="One kind of call; without it all.")] = None,
    as_json: Json = False,
) -> None:
    """Hold for an offer by its bound again, once you know why it failed. Running servers follow within seconds."""

    async def work(books: Books) -> int:
        return await books.db.write(lambda c: store.clear(c, provider, upstream_id, kind))

    cleared = with_books(work)
    show({"cleared": cleared}, as_json=as_json, text=f"Cleared {cleared}.")
