"""The proof of the roll-ups: the database compares them with the usage rows, and with each other."""

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace.db.segments import Segments, listed
from agent_marketplace.db.tables.ledger import usage_records
from agent_marketplace.db.tables.usage_log import SUMS, usage_rollups, usage_unrolled
from agent_marketplace.usage import COUNTS
from agent_marketplace.usage_log import store, zones
from agent_marketplace.usage_log.facts import (
    ALL_CONVERSATIONS,
    BUCKET_MS,
    EVERYBODY,
    EVERYBODY_HOURLY,
    HOUR_MS,
    add,
    fact,
)

_t, _u, _p = usage_rollups.c, usage_records.c, usage_unrolled.c

_CHECKED = ("requests", *COUNTS, "charge_nano", "absorbed_nano", "provider_cost_nano")


def disagreements(connection: sa.Connection, most: int, segments: Segments | None = None) -> list[str]:
    """Where the sums are not what the usage rows come to, in words, at most `most`. The database compares; of what is archived the
    files do, a day at a time, so nothing piles up here."""
    replaced = connection.execute(sa.select(_p.was).where(_p.was.is_not(None))).all()
    gone: dict[tuple[Any, ...], list[int]] = {}
    for row in replaced:
        kind, values = fact(msgspec.json.decode(row.was))
        add(gone, (kind.user_id, kind.bucket_at, kind.model), [values[SUMS.index(name)] for name in _CHECKED])
    over: dict[tuple[Any, ...], list[int]] = {}
    for since, until in _spans(connection):
        found = _over(connection, since, until, most + len(replaced) if until == store.EVER else None)
        for segment in store.archived(connection, segments, since, until):
            for key, values in _grouped(segment, _live(since, until)):
                add(found, key, values)
        for key, values in _twice(connection, segments, since, until):
            add(found, key, values, -1)
        for key, values in gone.items():
            if since <= key[1] < until:
                add(found, key, values)
        over |= {key: values for key, values in found.items() if any(values)}
        if len(over) > most:
            break
    inner = _t.conversation_id != ""
    whole = _level(1, _t.conversation_id == ALL_CONVERSATIONS)
    parts = _level(-1, inner, _t.conversation_id != ALL_CONVERSATIONS)
    within = _differences(connection, sa.union_all(whole, parts), most)
    all_of = sa.literal(EVERYBODY).label("user_id")
    each = sa.union_all(_level(1, _t.user_id == EVERYBODY), _level(-1, *_WHOLE, user=all_of))
    hour = (_t.bucket_at - _t.bucket_at % HOUR_MS).label("bucket_at")
    hourly = sa.literal(EVERYBODY_HOURLY).label("user_id")
    whole_hours = sa.union_all(
        _level(1, _t.user_id == EVERYBODY_HOURLY),
        _level(-1, _t.user_id == EVERYBODY, user=hourly, bucket=hour),
    )
    among = _differences(connection, each, most) | _differences(connection, whole_hours, most)
    return [
        f"usage of {user}, {model}, in the 15 minutes from {at} on: {words} by {differ}"
        for found, words in (
            (over, "rows and roll-ups differ"),
            (within, "roll-ups of conversations and of all differ"),
            (among, "roll-ups of accounts and of everybody differ"),
        )
        for (user, at, model), values in sorted(found.items())
        if (differ := {name: n for name, n in zip(_CHECKED, values, strict=True) if n})
    ][:most]


def _twice(
    connection: sa.Connection, segments: Segments | None, since: int, until: int
) -> Iterator[tuple[tuple[Any, ...], list[int]]]:
    """What rows come to that are being moved: they are in a file and still in the table."""
    moving = [made for made in listed(connection) if made.moved_at is None]
    for segment in store.archived(connection, segments, since, until, of=moving):
        both, rows = store.both(connection, segment, since, until), _live(since, until)
        for start in range(0, len(both), store.SOME):
            yield from _grouped(segment, rows.where(_u.request_id.in_(both[start : start + store.SOME])))


def _spans(connection: sa.Connection) -> list[tuple[int, int]]:
    """Everything since then at once; before that, where requests are archived, days (UTC)."""
    files = listed(connection)
    if not files:
        return [(0, store.EVER)]
    first, last = min(f.first_at for f in files), max(f.last_at for f in files)
    begin, end = first - first % zones.DAY_MS, last - last % zones.DAY_MS + zones.DAY_MS
    days = range(begin, end, zones.DAY_MS)
    return [(0, begin), *((day, day + zones.DAY_MS) for day in days), (end, store.EVER)]


def _live(since: int, until: int) -> sa.Select[Any]:
    """Usage rows of [since, until), each as what it adds."""
    bucket = (_u.created_at - _u.created_at % BUCKET_MS).label("bucket_at")
    one = [sa.literal(1, sa.BigInteger).label("requests"), *(_u[name] for name in _CHECKED[1:])]
    return sa.select(_u.user_id, bucket, _u.model, *one).where(_u.created_at >= since, _u.created_at < until)


def _over(
    connection: sa.Connection, since: int, until: int, most: int | None
) -> dict[tuple[Any, ...], list[int]]:
    """What the summed up rows of the table come to, less what the sums say."""
    listed_ = sa.exists().where(_p.user_id == _u.user_id, _p.request_id == _u.request_id)
    time = (_t.bucket_at >= since, _t.bucket_at < until)
    outer = _level(-1, *_WHOLE, *time)
    return _differences(connection, sa.union_all(_live(since, until).where(~listed_), outer), most)


_WHOLE = (_t.conversation_id.in_(("", ALL_CONVERSATIONS)), store.ACCOUNTS)
"""Each call of each account once."""


def _level(
    sign: int,
    *where: sa.ColumnElement[bool],
    user: sa.ColumnElement[Any] = _t.user_id,
    bucket: sa.ColumnElement[Any] = _t.bucket_at,
) -> sa.Select[Any]:
    sums = [(_t[name] * sign).label(name) for name in _CHECKED]
    return sa.select(user, bucket, _t.model, *sums).where(*where)


def _differences(
    connection: sa.Connection, signed: sa.CompoundSelect[Any], most: int | None
) -> dict[tuple[Any, ...], list[int]]:
    """{(user, quarter of an hour, model): what does not come to zero}."""
    return dict(_grouped(connection, signed, most))


def _grouped(
    connection: sa.Connection, rows: sa.CompoundSelect[Any] | sa.Select[Any], most: int | None = None
) -> Iterator[tuple[tuple[Any, ...], list[int]]]:
    s = rows.subquery().c
    totals = [sa.func.sum(s[name]) for name in _CHECKED]
    query = sa.select(s.user_id, s.bucket_at, s.model, *totals).group_by(s.user_id, s.bucket_at, s.model)
    query = query.having(sa.or_(*(total != 0 for total in totals))).limit(most)
    for row in connection.execute(query):
        yield tuple(row[:3]), [int(value) for value in row[3:]]
