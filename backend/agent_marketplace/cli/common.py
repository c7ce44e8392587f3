"""What the commands share: settings, a market without a server, errors in words, output as text or JSON."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from agent_marketplace import json, settings
from agent_marketplace.logs import masked

if TYPE_CHECKING:  # each command loads what it needs, and no more: a second is long at a prompt
    from agent_marketplace.app import Market
    from agent_marketplace.opening import Books, Desk

T = TypeVar("T")
FAILED, USAGE = 1, 2
Json = Annotated[bool, typer.Option("--json", help="Print JSON; lists: one object a line")]


def example(*words: str) -> str:
    """The last line of a command's --help."""
    return "Example:  " + "   or   ".join(f"agent-marketplace {w}" for w in words)


def fail(words: str, code: int = FAILED) -> NoReturn:
    """Says what is wrong and ends."""
    print(f"agent-marketplace: {masked(words)}", file=sys.stderr)
    raise SystemExit(code)


def load_settings() -> settings.Settings:
    """The settings, or a message that names the wrong one."""
    try:
        return settings.load()
    except settings.SettingsError as error:
        fail(str(error), USAGE)


def database_file(chosen: settings.Settings) -> Path:
    """Where SQLite keeps the database."""
    return Path(chosen.database_url.removeprefix("sqlite:///"))


def _found_settings(*, begins: bool) -> settings.Settings:
    """begins: the command may be the first of an installation. Any other must not make an empty database by a wrong path."""
    chosen = load_settings()
    if chosen.embedded and not begins and not database_file(chosen).exists():
        fail(
            f"There is no database at {database_file(chosen)}. `serve` or `user create` makes it; if you have one, set "
            "MARKETPLACE_DATA_DIR or DATABASE_URL as for the server, and run this as the server's user."
        )
    return chosen


def with_books(work: "Callable[[Books], Awaitable[T]]", *, strict: bool = True) -> T:
    """Runs `work(books)` over the database, beside a running server or alone. strict: as `opening.open_books`."""
    from agent_marketplace.opening import open_books

    books = open_books(_found_settings(begins=False), strict=strict)

    async def run() -> T:
        try:
            return await work(books)
        finally:
            books.close()

    return asyncio.run(run())


def with_desk(work: "Callable[[Desk], Awaitable[T]]", *, begins: bool = False) -> T:
    """Runs `work(desk)`, as `with_books`. begins: the command may be the first of an installation."""
    from agent_marketplace.opening import open_books, open_desk

    chosen = _found_settings(begins=begins)
    if begins:  # the first command of an installation says what is wrong with its providers too
        from agent_marketplace.providers.endpoints import EndpointTable

        EndpointTable(chosen, os.environ)
    desk = open_desk(open_books(chosen))

    async def run() -> T:
        try:
            return await work(desk)
        finally:
            desk.accounts.close()
            desk.books.close()

    return asyncio.run(run())


def with_market(work: "Callable[[Market], Awaitable[T]]", *, begins: bool = False) -> T:
    """Runs `work(market)` with every part of the marketplace; nothing is served. begins: as `with_desk`."""
    from agent_marketplace.app import build

    market = build(_found_settings(begins=begins))

    async def run() -> T:
        try:
            return await work(market)
        finally:
            market.accounts.close()
            market.reports.close()
            market.db.close()

    return asyncio.run(run())


def show(value: Any, *, as_json: bool, text: str) -> None:
    """One line of JSON, or words."""
    print(json.encode(value).decode() if as_json else text)


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """Columns for people."""
    cells = [[str(h) for h in header], *[[("" if c is None else str(c)) for c in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
