"""Keeps the catalogue fresh from public price lists, with guard-rails. Never raises: a feed that fails changes nothing.

A feed is fetched with its entity tag, parsed with exact numbers, and compared with the catalogue in force:
- a changed price becomes a new dated row; the old row stays;
- a price that moves by more than a factor of three, falls to zero or rises from zero waits for the operator's review;
- a row with a negative, infinite or absurd price is refused and named; a document with NaN is refused as a whole;
- a document that has lost, or would change, too much of what was known is refused as a whole;
- new models come in only where their maker, Hugging Face or OpenRouter sell them.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from agent_marketplace.catalog import fees, names, sources, store
from agent_marketplace.catalog.hosts import host_names
from agent_marketplace.catalog.models import Offer
from agent_marketplace.catalog.overlay import model_from, offer_from, version_of
from agent_marketplace.catalog.snapshot import ModelRecord, Snapshot
from agent_marketplace.catalog.sources import Reading, Row
from agent_marketplace.catalog.store import FeedState, PriceRow, Review
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.ids import new_id
from agent_marketplace.ledger.pricing import Price

log = logging.getLogger(__name__)

MAX_BYTES = 32 * 1024 * 1024
JUMP = 3
LEAST_OVERLAP = 0.3  # of the offers that this feed told of before, this share must still be there
MOST_JUMPS = 0.2  # of the prices that a feed tells, at most this share may need review; else the feed itself is suspect
MOST_NEW = 400


class Fetched(msgspec.Struct, frozen=True):
    """An answer: HTTP status, body (empty on 304), entity tag."""

    status: int
    body: bytes = b""
    etag: str | None = None


Fetch = Callable[[str, str | None], Awaitable[Fetched]]
"""(url, entity tag or None) -> answer. Given by the composition root from `net`; may raise anything."""


class Feed(msgspec.Struct, frozen=True):
    """A public list: its name, where it is, and the name under which its figures are known."""

    name: str
    url: str
    source: str


FEEDS = (
    Feed(
        "litellm",
        "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json",
        "litellm",
    ),
    Feed(
        "genai-prices",
        "https://raw.githubusercontent.com/pydantic/genai-prices/main/prices/new_data/v2/data.json",
        "genai-prices",
    ),
    Feed("models.dev", "https://models.dev/api.json", "models.dev"),
    Feed("openrouter", "https://openrouter.ai/api/v1/models", "openrouter"),
)


class Changes(msgspec.Struct, frozen=True):
    """What one document would change."""

    prices: tuple[PriceRow, ...]
    offers: tuple[Offer, ...]
    models: tuple[ModelRecord, ...]
    reviews: tuple[Review, ...]
    known: int


class FeedReport(msgspec.Struct, frozen=True):
    """What came of one feed: outcome `changed`, `unchanged` or `failed`, counts, and in words what was wrong."""

    name: str
    outcome: str
    prices: int = 0
    new_offers: int = 0
    new_models: int = 0
    to_review: int = 0
    refused: tuple[str, ...] = ()
    problem: str | None = None


def read(source: str, body: bytes, today: str) -> Reading:
    """Rows of a feed's document. Raises ValueError if it is not what it should be."""
    if len(body) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    document = sources.parse(body)
    try:
        if source == "genai-prices":
            reading = sources.genai_prices(document, today=today)
        else:
            readers: dict[str, Callable[[Any], Reading]] = {
                "litellm": sources.litellm,
                "models.dev": sources.models_dev,
                "openrouter": sources.openrouter,
            }
            reading = readers[source](document)
    except (AttributeError, KeyError, TypeError) as problem:
        raise ValueError(f"not of the expected shape: {problem}") from None
    if not reading.rows:
        raise ValueError("no readable row")
    return reading


def compare(snapshot: Snapshot, rows: Iterable[Row], source: str, now: int, today: str) -> Changes:
    """What these rows change in a catalogue. Pure but for new ids."""
    by_upstream = {(o.provider, o.upstream_id.lower()): o for m in snapshot.models for o in m.offers}
    by_key = {names.key(a): m for m in snapshot.models for a in (*m.aliases, m.id)}
    hosts = host_names(source)
    prices: dict[str, PriceRow] = {}
    offers: dict[str, Offer] = {}
    models: dict[str, ModelRecord] = {}
    reviews: dict[str, Review] = {}
    known = 0
    for row in rows:
        provider = hosts.get(row.provider)
        if provider is None:
            continue
        offer = by_upstream.get((provider, row.upstream_id.lower()))
        if offer is not None:
            known += 1
            _compare_offer(offer, row, source, now, today, prices, offers, reviews)
        elif not row.retired and _is_new(row):
            _add(row, provider, today, by_key, offers, models)
    return Changes(
        tuple(prices.values()), tuple(offers.values()), tuple(models.values()), tuple(reviews.values()), known
    )


def _compare_offer(
    offer: Offer,
    row: Row,
    source: str,
    now: int,
    today: str,
    prices: dict[str, PriceRow],
    offers: dict[str, Offer],
    reviews: dict[str, Review],
) -> None:
    if offer.source == "operator":
        return
    if row.retires_on is not None and row.retires_on != offer.retires_on:
        offers[offer.id] = msgspec.structs.replace(offer, retires_on=row.retires_on)
    price = fees.fitted(offer.provider, offer.upstream_id, row.price)
    if price is None or price == offer.price:
        return
    if offer.price is not None and _rank(source) < _rank(offer.source):
        return  # a list that is checked less often does not overrule a better one
    reason = jump(offer.price, price)
    if reason is None:
        prices[offer.id] = PriceRow(offer.id, now, price, version_of(price, today), source, today)
    else:
        reviews[offer.id] = Review(new_id("rev"), offer.id, reason, offer.price, price, source, "open", now)


_RANKS = {"hand": 4, "litellm": 3, "genai-prices": 2, "models.dev": 1, "openrouter": 3, "rates": 0}


def _rank(source: str) -> int:
    return _RANKS.get(source, 0)


def jump(old: Price | None, new: Price) -> str | None:
    """Why a change of price needs a person, or None. Every class counts, tiers too."""
    if old is None:
        return "the first price is zero" if new.free else None
    if new.free != old.free:
        return "falls to zero" if new.free else "rises from zero"
    for field in old.__struct_fields__:
        before, after = getattr(old, field), getattr(new, field)
        if field == "tiers" or not before or after is None:
            continue
        if after == 0:
            return f"{field} falls to zero"
        if after > JUMP * before or before > JUMP * after:
            return f"{field} changes by more than a factor of {JUMP}"
    steps = {t.above_input_tokens: t for t in old.tiers}
    for tier in new.tiers:
        base = steps.get(tier.above_input_tokens)
        for field in tier.__struct_fields__[1:]:
            before, after = getattr(base or new, field), getattr(tier, field)
            if before and after is not None and (after > JUMP * before or before > JUMP * after):
                return (
                    f"{field} above {tier.above_input_tokens} tokens changes by more than a factor of {JUMP}"
                )
    return None


def _is_new(row: Row) -> bool:
    """Whether a row may bring a new offer: a real model, not a pointer, a batch price or a free lunch."""
    name = row.upstream_id.lower()
    if row.price is None or (row.price.free and not name.endswith(":free")):
        return False
    return (
        row.kind in ("chat", "embedding", "image")
        and not name.startswith("~")
        and not name.endswith(("latest", ":batch"))
    )


def _add(
    row: Row,
    provider: str,
    today: str,
    by_key: Mapping[str, ModelRecord],
    offers: dict[str, Offer],
    models: dict[str, ModelRecord],
) -> None:
    model = by_key.get(names.key(row.upstream_id))
    if model is not None:
        offer = offer_from(row, provider, model.id, today)
        if all(o.id != offer.id for o in model.offers):
            offers.setdefault(offer.id, offer)
        return
    maker = names.maker_and_family(row.upstream_id)[0]
    if row.upstream_id.endswith(":free") or provider not in (maker, "huggingface", "openrouter"):
        return
    record = model_from(row, provider, today)
    if names.is_slug(record.id) and record.id not in by_key:
        models.setdefault(record.id, record)


def suspect(changes: Changes, snapshot: Snapshot, feed: Feed) -> str | None:
    """Why a whole document is not to be believed, or None."""
    expected = sum(1 for m in snapshot.models for o in m.offers if o.source == feed.source)
    if expected >= 10 and changes.known < LEAST_OVERLAP * expected:
        return f"tells of {changes.known} of the {expected} offers that it told of before"
    if len(changes.reviews) > max(5, MOST_JUMPS * changes.known):
        return f"{len(changes.reviews)} of {changes.known} prices would jump"
    if len(changes.models) > MOST_NEW:
        return f"{len(changes.models)} new models at once"
    return None


async def sync(
    db: Database,
    current: Callable[[], Snapshot],
    fetch: Fetch,
    clock: Clock,
    today: str,
    feeds: Sequence[Feed] = FEEDS,
) -> list[FeedReport]:
    """Asks every feed once and stores what it changes. `current` gives the catalogue in force, read anew for each feed."""
    return [await _sync_one(db, current, fetch, clock, today, feed) for feed in feeds]


async def _sync_one(
    db: Database, current: Callable[[], Snapshot], fetch: Fetch, clock: Clock, today: str, feed: Feed
) -> FeedReport:
    now = clock.now_ms()
    try:
        state = await db.read(lambda c: store.feed_state(c, feed.name))
        answer = await fetch(feed.url, state.etag if state else None)
        if answer.status == 304 and state is not None:
            kept = msgspec.structs.replace(state, checked_at=now, problem=None)
            await db.write(lambda c: store.put_feed_state(c, kept))
            return FeedReport(feed.name, "unchanged")
        if answer.status != 200:
            raise ValueError(f"answered {answer.status}")
        reading = read(feed.source, answer.body, today)
        snapshot = current()
        changes = compare(snapshot, reading.rows, feed.source, now, today)
        doubt = suspect(changes, snapshot, feed)
        if doubt is not None:
            raise ValueError(doubt)
        etag = answer.etag or f'"{hashlib.blake2b(answer.body, digest_size=16).hexdigest()}"'
        good = FeedState(feed.name, etag, now, now, None)
        queued = await db.write(lambda c: _store(c, changes, good, now))
    except Exception as problem:  # noqa: BLE001  a feed is foreign: whatever goes wrong, the last good catalogue stays
        log.warning("catalogue feed %s was not taken: %s", feed.name, str(problem)[:200])
        return await _failed(db, feed, str(problem)[:300] or type(problem).__name__, now)
    counts = (len(changes.prices), len(changes.offers), len(changes.models))
    outcome = "changed" if any(counts) or queued else "unchanged"
    return FeedReport(feed.name, outcome, *counts, queued, tuple(reading.refused[:50]))


def _store(connection: Any, changes: Changes, state: FeedState, now: int) -> int:
    """All of a document's changes, or none; returns how many wait for review."""
    store.add_prices(connection, changes.prices, now)
    store.put_offers(connection, changes.offers, state.name, now)
    store.put_models(connection, changes.models, state.name, now)
    store.put_feed_state(connection, state)
    return sum(store.add_review(connection, review) for review in changes.reviews)


async def _failed(db: Database, feed: Feed, problem: str, now: int) -> FeedReport:
    """Notes the failure and keeps the entity tag of the last good copy."""

    def note(connection: Any) -> None:
        old = store.feed_state(connection, feed.name)
        store.put_feed_state(
            connection,
            FeedState(feed.name, old.etag if old else None, now, old.good_at if old else None, problem),
        )

    try:
        await db.write(note)
    except Exception as trouble:  # noqa: BLE001  the note is a courtesy; a full disk must not stop the other feeds
        log.warning("catalogue feed %s: its failure could not be noted: %s", feed.name, str(trouble)[:200])
    return FeedReport(feed.name, "failed", problem=problem)
