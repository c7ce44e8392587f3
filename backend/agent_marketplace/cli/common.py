"""What the commands share: settings, a market without a server, errors in words, output as text or JSON."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

from agent_marketplace import json, settings
from agent_marketplace.app import Market, build

T = TypeVar("T")


def fail(words: str, code: int = 1) -> NoReturn:
    """Says what is wrong and ends."""
    print(f"agent-marketplace: {words}", file=sys.stderr)
    raise SystemExit(code)


def load_settings() -> settings.Settings:
    """The settings, or a message that names the wrong one."""
    try:
        return settings.load()
    except settings.SettingsError as error:
        fail(str(error), 2)


def with_market(work: Callable[[Market], Awaitable[T]]) -> T:
    """Runs `work(market)` over the database, beside a running server or alone; nothing is served."""
    market = build(load_settings())

    async def run() -> T:
        try:
            return await work(market)
        finally:
            market.accounts.close()
            market.db.close()

    return asyncio.run(run())


@contextmanager
def progress(words: str) -> Iterator[Callable[[int, int], None]]:
    """Says on a terminal what is going on; the callable takes (done, total) and shows the share. Pipes see nothing."""
    shown = sys.stderr.isatty()

    def tell(done: int, total: int) -> None:
        if shown:
            sys.stderr.write(f"\r{words} ... {100 * done // max(total, 1)} %")
            sys.stderr.flush()

    if shown:
        sys.stderr.write(f"{words} ...")
        sys.stderr.flush()
    try:
        yield tell
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def show(value: Any, *, as_json: bool, text: str) -> None:
    """One line of JSON, or words."""
    print(json.encode(value).decode() if as_json else text)


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """Columns for people."""
    cells = [[str(h) for h in header], *[[("" if c is None else str(c)) for c in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
