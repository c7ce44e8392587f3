"""The SQL of the catalogue. Prices are only ever added; a row in force stays what it was."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.catalog.models import Offer
from agent_marketplace.catalog.snapshot import ModelRecord
from agent_marketplace.catalog.traffic import Cell
from agent_marketplace.db.tables.catalog import (
    changes,
    feeds,
    found_models,
    found_offers,
    prices,
    ratings,
    reviews,
    traffic,
)
from agent_marketplace.ledger.pricing import Price, validate_price


class PriceRow(msgspec.Struct, frozen=True):
    """One price of one offer from a moment on. price None: no longer priced; effective_at: ms since the epoch."""

    offer_id: str
    effective_at: int
    price: Price | None
    price_version: str
    source: str
    as_of: str


class Review(msgspec.Struct, frozen=True):
    """A price change that waits for the operator."""

    review_id: str
    offer_id: str
    reason: str
    old_price: Price | None
    new_price: Price | None
    source: str
    state: str
    seen_at: int


class FeedState(msgspec.Struct, frozen=True):
    """What is known of a feed: entity tag of the last good copy, when it was asked and last taken, what was wrong."""

    name: str
    etag: str | None
    checked_at: int
    good_at: int | None
    problem: str | None


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    """INSERT that knows ON CONFLICT; the same in both dialects."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _json(price: Price | None) -> str | None:
    return None if price is None else msgspec.json.encode(validate_price(price)).decode()


def _price(text: str | None) -> Price | None:
    return None if text is None else msgspec.json.decode(text, type=Price)


# --- prices ---


def add_prices(connection: sa.Connection, rows: Iterable[PriceRow], now: int) -> int:
    """Appends price rows; returns how many. Raises ValueError on an impossible price."""
    values = [{**msgspec.structs.asdict(r), "price": _json(r.price), "recorded_at": now} for r in rows]
    if values:
        connection.execute(sa.insert(prices), values)
        _changed(connection)
    return len(values)


def next_price_at(connection: sa.Connection, now: int) -> int | None:
    """When the next dated price comes into force after `now` (ms); None = none is waiting."""
    at: int | None = connection.scalar(
        sa.select(sa.func.min(prices.c.effective_at)).where(prices.c.effective_at > now)
    )
    return at


def change_number(connection: sa.Connection) -> int:
    """Grows with every change of prices, models or offers, by whichever process."""
    return connection.scalar(sa.select(changes.c.number)) or 0


def _changed(connection: sa.Connection) -> None:
    statement = _insert(connection, changes).values(id=1, number=1)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"number": changes.c.number + 1})
    )


def prices_in_force(connection: sa.Connection, now: int) -> dict[str, PriceRow]:
    """{offer id: its newest row that is in force at `now` (ms)}."""
    query = sa.select(prices).where(prices.c.effective_at <= now).order_by(prices.c.effective_at, prices.c.id)
    return {row.offer_id: _price_row(row) for row in connection.execute(query)}


def price_history(connection: sa.Connection, offer_ids: Sequence[str], limit: int = 500) -> list[PriceRow]:
    """All rows of these offers, newest first."""
    query = (
        sa.select(prices)
        .where(prices.c.offer_id.in_(offer_ids))
        .order_by(prices.c.effective_at.desc(), prices.c.id.desc())
    )
    return [_price_row(row) for row in connection.execute(query.limit(limit))]


def price_of_version(connection: sa.Connection, version: str) -> Price | None:
    """The price that a version names, for checking an old bill; None if it is unknown."""
    query = (
        sa.select(prices.c.price)
        .where(prices.c.price_version == version, prices.c.price.is_not(None))
        .limit(1)
    )
    return _price(connection.execute(query).scalar())


def _price_row(row: sa.Row[Any]) -> PriceRow:
    return PriceRow(
        row.offer_id, row.effective_at, _price(row.price), row.price_version, row.source, row.as_of
    )


# --- reviews ---


def add_review(connection: sa.Connection, review: Review) -> bool:
    """Puts a change before the operator unless the same change of the same offer was already; returns whether it did."""
    new = _json(review.new_price)
    same = (
        reviews.c.offer_id == review.offer_id,
        reviews.c.reason == review.reason,
        reviews.c.new_price.is_not_distinct_from(new),
    )
    if connection.execute(sa.select(reviews.c.review_id).where(*same).limit(1)).first() is not None:
        return False
    values = {
        **msgspec.structs.asdict(review),
        "old_price": _json(review.old_price),
        "new_price": new,
        "decided_at": None,
    }
    connection.execute(sa.insert(reviews).values(values))
    return True


def open_reviews(connection: sa.Connection, limit: int = 200) -> list[Review]:
    """Changes that wait, the oldest first."""
    query = (
        sa.select(reviews)
        .where(reviews.c.state == "open")
        .order_by(reviews.c.seen_at, reviews.c.review_id)
        .limit(limit)
    )
    return [
        Review(
            r.review_id,
            r.offer_id,
            r.reason,
            _price(r.old_price),
            _price(r.new_price),
            r.source,
            r.state,
            r.seen_at,
        )
        for r in connection.execute(query)
    ]


def decide_review(connection: sa.Connection, review_id: str, state: str, now: int) -> Review | None:
    """Closes an open review as `accepted` or `rejected`; None if there is no such open review."""
    table = reviews
    mine = (table.c.review_id == review_id, table.c.state == "open")
    row = connection.execute(
        sa.update(table).where(*mine).values(state=state, decided_at=now).returning(table)
    ).first()
    if row is None:
        return None
    return Review(
        row.review_id,
        row.offer_id,
        row.reason,
        _price(row.old_price),
        _price(row.new_price),
        row.source,
        state,
        row.seen_at,
    )


# --- feeds, found and declared models ---


def feed_state(connection: sa.Connection, name: str) -> FeedState | None:
    """What is known of a feed."""
    row = connection.execute(sa.select(feeds).where(feeds.c.name == name)).first()
    return None if row is None else FeedState(row.name, row.etag, row.checked_at, row.good_at, row.problem)


def put_feed_state(connection: sa.Connection, state: FeedState) -> None:
    """Remembers what is known of a feed."""
    values = msgspec.structs.asdict(state)
    statement = _insert(connection, feeds).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def put_models(connection: sa.Connection, records: Iterable[ModelRecord], source: str, now: int) -> None:
    """Adds or replaces found (a feed's name) or declared (`operator`) models."""
    for record in records:
        values = {"record": msgspec.json.encode(record).decode(), "source": source}
        statement = _insert(connection, found_models).values(model_id=record.id, added_at=now, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["model_id"], set_=values))
    _changed(connection)


def put_offers(connection: sa.Connection, offers: Iterable[Offer], source: str, now: int) -> None:
    """Adds or replaces offers that a feed found or whose facts it changed."""
    for offer in offers:
        values = {"record": msgspec.json.encode(offer).decode(), "source": source}
        statement = _insert(connection, found_offers).values(
            offer_id=offer.id, model_id=offer.model_id, added_at=now, **values
        )
        connection.execute(statement.on_conflict_do_update(index_elements=["offer_id"], set_=values))
    _changed(connection)


def declared_ids(connection: sa.Connection) -> set[str]:
    """Ids of the declared models."""
    table = found_models
    return set(connection.execute(sa.select(table.c.model_id).where(table.c.source == "operator")).scalars())


def delete_models(connection: sa.Connection, model_ids: Iterable[str]) -> None:
    """Takes declared models out again."""
    for model_id in model_ids:
        connection.execute(sa.delete(found_models).where(found_models.c.model_id == model_id))
    _changed(connection)


def models(connection: sa.Connection) -> list[tuple[ModelRecord, str, int]]:
    """(model, source, added_at) of everything found or declared, the oldest first."""
    query = sa.select(found_models).order_by(found_models.c.added_at, found_models.c.model_id)
    return [
        (msgspec.json.decode(r.record, type=ModelRecord), r.source, r.added_at)
        for r in connection.execute(query)
    ]


def offers(connection: sa.Connection) -> list[Offer]:
    """Offers that feeds found or changed."""
    query = sa.select(found_offers.c.record).order_by(found_offers.c.added_at, found_offers.c.offer_id)
    return [msgspec.json.decode(r.record, type=Offer) for r in connection.execute(query)]


# --- ratings and traffic ---


def put_rating(connection: sa.Connection, user_id: str, model_id: str, stars: int, now: int) -> None:
    """One rating per user and model; a second replaces the first."""
    values = {"stars": stars, "updated_at": now}
    statement = _insert(connection, ratings).values(user_id=user_id, model_id=model_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["user_id", "model_id"], set_=values))


def delete_ratings_of(connection: sa.Connection, user_id: str) -> None:
    """A deleted user's ratings go too."""
    connection.execute(sa.delete(ratings).where(ratings.c.user_id == user_id))


def add_traffic(connection: sa.Connection, counts: Mapping[Cell, int]) -> None:
    """Adds counts to the day's cells."""
    for cell, count in sorted(counts.items()):
        statement = _insert(connection, traffic).values(**cell._asdict(), count=count)
        keys = list(Cell._fields)
        connection.execute(
            statement.on_conflict_do_update(index_elements=keys, set_={"count": traffic.c.count + count})
        )


def traffic_since(connection: sa.Connection, day: str) -> list[tuple[str, str, int, int]]:
    """(model, measure, bucket, count) from `day` (YYYY-MM-DD) on, providers added up."""
    cells = (traffic.c.model_id, traffic.c.measure, traffic.c.bucket)
    query = sa.select(*cells, sa.func.sum(traffic.c.count)).where(traffic.c.day >= day).group_by(*cells)
    return [(m, measure, bucket, int(count)) for m, measure, bucket, count in connection.execute(query)]
