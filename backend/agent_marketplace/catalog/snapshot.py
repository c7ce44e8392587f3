"""The bundled catalogue: one JSON file, one model a line, made by scripts/build_catalog.py."""

from datetime import date, timedelta
from functools import cache
from importlib.resources import files

import msgspec

from agent_marketplace.catalog.models import Offer


class Source(msgspec.Struct, frozen=True):
    """Where figures came from: name, version, date of the figures, licence, home page."""

    name: str
    version: str
    as_of: str
    licence: str
    url: str


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts of one model; its first offer is the one its card shows unless another is the only one available.

    `sources`: for each field the name of its source. `kind`: chat, embedding or image.
    """

    id: str
    name: str
    maker: str
    family: str
    kind: str = "chat"
    description: str = ""
    context: int = 0
    max_input: int | None = None
    max_output: int | None = None
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    supported_parameters: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    released_on: str | None = None
    retires_on: str | None = None
    successor: str | None = None
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    sources: dict[str, str] = {}
    offers: tuple[Offer, ...] = ()


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A whole catalogue, immutable."""

    schema: int
    built_on: str
    sources: tuple[Source, ...]
    models: tuple[ModelRecord, ...]


@cache
def bundled() -> Snapshot:
    """The snapshot that ships with the package, parsed once a process. Raises msgspec.ValidationError if it is damaged."""
    return load((files("agent_marketplace.catalog") / "data" / "catalog.json").read_bytes())


def load(data: bytes) -> Snapshot:
    """Parses and checks a snapshot file."""
    return msgspec.json.decode(data, type=Snapshot)


STALE_DAYS = 90


class Freshness(msgspec.Struct, frozen=True):
    """as_of: the newest day (YYYY-MM-DD) that prices were read; age_days: since then; old: offers whose price is older than STALE_DAYS."""

    as_of: str
    age_days: int
    old: int
    priced: int


def freshness(snapshot: Snapshot, today: date) -> Freshness:
    """A source that names a month only counts from that month's last day, but from no day after the snapshot was made."""
    days = [
        _day(o.as_of, snapshot.built_on) for m in snapshot.models for o in m.offers if o.price is not None
    ]
    newest = max(days, default=date.fromisoformat(snapshot.built_on))
    old = sum((today - day).days > STALE_DAYS for day in days)
    return Freshness(newest.isoformat(), max(0, (today - newest).days), old, len(days))


def _day(as_of: str, built_on: str) -> date:
    made = date.fromisoformat(built_on)
    if len(as_of) == len("2026-11"):
        year, month = int(as_of[:4]), int(as_of[5:])
        return min(made, date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1))
    return date.fromisoformat(as_of) if as_of else made
