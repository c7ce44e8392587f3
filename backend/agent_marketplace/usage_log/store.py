"""The SQL of the roll-ups. The sums and the rows that are not in them yet are read on one snapshot, so figures are never behind."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace import json
from agent_marketplace.db.segments import Archive, Missing, Segments, listed
from agent_marketplace.db.tables.ledger import usage_records
from agent_marketplace.db.tables.usage_log import SUMMING, SUMS, usage_rollups, usage_unrolled
from agent_marketplace.errors import Unavailable
from agent_marketplace.usage import COUNTS, Usage
from agent_marketplace.usage_log import zones
from agent_marketplace.usage_log.activity import Call, Page, Place, Wanted, cause_of
from agent_marketplace.usage_log.facts import (
    ALL_CONVERSATIONS,
    BUCKET_MS,
    EVERYBODY,
    EVERYBODY_HOURLY,
    HOUR_MS,
    Kind,
    add,
    fact,
    levels,
)
from agent_marketplace.usage_log.query import COLUMNS, OF_EVERYBODY, Asked, needed

MOST_UNROLLED = 20_000
SOME = 500
log = logging.getLogger(__name__)
_Range = tuple[int, int]
EVER = 1 << 62
_KEY = [column.name for column in usage_rollups.primary_key.columns]
_t, _u, _p = usage_rollups.c, usage_records.c, usage_unrolled.c
ACCOUNTS = _t.user_id.not_in((EVERYBODY, EVERYBODY_HOURLY))
READ = tuple(
    _u[name]
    for name in (
        "request_id", "user_id", "key_id", "model", "provider", "status", *COUNTS, "estimated", "charge_nano", "absorbed_nano",
        "provider_cost_nano", "list_cost_nano", "detail", "created_at",
    )
)  # fmt: skip


def roll(connection: sa.Connection, most: int) -> int:
    """Brings up to `most` usage rows into the sums. Returns how many; 0 also where another process is at it.

    The row is read after it was taken off the list: who changes it meanwhile waits, and puts it on the list anew.
    """
    if _postgres(connection) and not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(SUMMING))):
        return 0
    chosen = sa.select(_p.user_id, _p.request_id).limit(most)
    take = sa.delete(usage_unrolled).where(sa.tuple_(_p.user_id, _p.request_id).in_(chosen))
    taken = connection.execute(take.returning(_p.request_id, _p.was)).all()
    totals: dict[Kind, list[int]] = {}
    rows = sa.select(*READ).where(_u.request_id.in_([row.request_id for row in taken]))
    for row in connection.execute(rows).mappings():
        _count(totals, row, 1)
    before = [msgspec.json.decode(row.was) for row in taken if row.was is not None]
    for old in before:
        _count(totals, old, -1)
    _put(connection, totals)
    if before:
        users = {EVERYBODY, EVERYBODY_HOURLY, *(old["user_id"] for old in before)}
        connection.execute(sa.delete(usage_rollups).where(_t.user_id.in_(users), _t.requests == 0))
    return len(taken)


def _count(totals: dict[Kind, list[int]], row: Any, sign: int) -> None:
    kind, sums = fact(row)
    for level in levels(kind):
        add(totals, level, sums, sign)


def _put(connection: sa.Connection, totals: dict[Kind, list[int]]) -> None:
    if not totals:
        return
    insert = (postgresql.insert if _postgres(connection) else sqlite.insert)(usage_rollups)
    more = {name: _t[name] + insert.excluded[name] for name in SUMS}
    values = [
        {**kind._asdict(), **dict(zip(SUMS, sums, strict=True))} for kind, sums in sorted(totals.items())
    ]
    connection.execute(insert.on_conflict_do_update(index_elements=_KEY, set_=more), values)


def span(connection: sa.Connection) -> tuple[int, int] | None:
    """From the oldest to the newest moment (ms) of what is used, archived or summed up; None = nothing."""
    found = [
        connection.execute(sa.select(sa.func.min(column), sa.func.max(column))).one()
        for column in (_u.created_at, _t.bucket_at)
    ]
    ends = [(low, high) for low, high in found if low is not None]
    ends += [(made.first_at, made.last_at) for made in listed(connection)]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else None


def forget(connection: sa.Connection, since: int, until: int, segments: Segments | None = None) -> None:
    """Takes the sums of [since, until) away (ms, whole hours), and puts its rows on the list; those of archived
    requests are made anew at once. Raises segments.Missing."""
    if _postgres(connection):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SUMMING)))
    connection.execute(sa.delete(usage_rollups).where(_t.bucket_at >= since, _t.bucket_at < until))
    replaced = connection.execute(
        sa.select(_p.user_id, _p.request_id, _p.was).where(_p.was.is_not(None))
    ).all()
    for user_id, request_id, was in replaced:
        if since <= msgspec.json.decode(was)["created_at"] < until:
            one = sa.update(usage_unrolled).where(_p.user_id == user_id, _p.request_id == request_id)
            connection.execute(one.values(was=None))
    insert = (postgresql.insert if _postgres(connection) else sqlite.insert)(usage_unrolled)
    rows = sa.select(_u.user_id, _u.request_id).where(_u.created_at >= since, _u.created_at < until)
    connection.execute(insert.from_select(["user_id", "request_id"], rows).on_conflict_do_nothing())
    old = sa.select(*READ).where(_u.created_at >= since, _u.created_at < until)
    for made in listed(connection):
        for segment in archived(connection, segments, since, until, strict=True, of=[made]):
            # Rows that are being moved are on the list as well, where they still are in the table.
            here = set(both(connection, segment, since, until)) if made.moved_at is None else ()
            totals: dict[Kind, list[int]] = {}
            for row in segment.execute(old).mappings():
                if row["request_id"] not in here:
                    _count(totals, row, 1)
            _put(connection, totals)


def archived(
    connection: sa.Connection,
    segments: Segments | None,
    since: int,
    until: int,
    *,
    strict: bool = False,
    of: Sequence[Archive] | None = None,
) -> Iterator[sa.Connection]:
    """The files (of: some of them) with requests of [since, until), newest first, each open until the next.

    One that is not there is left out, or, strict, raises segments.Missing.
    """

    def missing(problem: Missing) -> None:
        if strict:
            raise problem
        log.warning("%s", problem)

    if segments is not None:
        newest_first = reversed(listed(connection) if of is None else of)
        within = (made for made in newest_first if made.first_at < until and made.last_at >= since)
        yield from segments.each(within, missing)


def waiting(connection: sa.Connection) -> int:
    """How many usage rows are not summed up yet."""
    return connection.execute(sa.select(sa.func.count()).select_from(usage_unrolled)).scalar_one()


# -- questions ---------------------------------------------------------------------------------------------------------


def sums(connection: sa.Connection, asked: Asked) -> tuple[tuple[str, ...], dict[tuple[Any, ...], list[int]]]:
    """(names of sums, {(values of `asked.by`..., status): sums}). Raises Unavailable while very much is not summed up."""
    names, offsets = needed(asked), zones.offsets(asked.zone, asked.since, asked.until)
    columns = [
        _time(offsets, asked.granularity) if name == "time" else _t[COLUMNS[name]] for name in asked.by
    ]
    keys = [column.label(f"k{place}") for place, column in enumerate([*columns, _t.status])]
    query = sa.select(*keys, *(sa.func.sum(_t[name]) for name in names)).where(*_chosen(asked))
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row in connection.execute(query.group_by(*(sa.text(key.name) for key in keys))):
        groups[tuple(row[: len(keys)])] = [int(value) for value in row[len(keys) :]]
    places = [SUMS.index(name) for name in names]
    for kind, values, sign in _unrolled(connection, asked):
        add(groups, _group(kind, asked, offsets), [values[place] for place in places], sign)
    return names, groups


def _group(kind: Kind, asked: Asked, offsets: zones.Offsets) -> tuple[Any, ...]:
    east = next(east for since, east in reversed(offsets) if since <= kind.bucket_at)
    values = [
        zones.period(kind.bucket_at, east, asked.granularity)
        if name == "time"
        else getattr(kind, COLUMNS[name])
        for name in asked.by
    ]
    return (*values, kind.status)


def _unrolled(connection: sa.Connection, asked: Asked) -> list[tuple[Kind, list[int], int]]:
    """What the sums lack: the rows on the list, and (to be taken away) what they were when they were summed up."""
    query = (
        sa.select(_p.was, *READ)
        .select_from(usage_unrolled.outerjoin(usage_records, _u.request_id == _p.request_id))
        .limit(MOST_UNROLLED + 1)
    )
    if asked.user_id is not None:
        query = query.where(_p.user_id == asked.user_id)
    rows = connection.execute(query).mappings().all()
    if len(rows) > MOST_UNROLLED:
        raise Unavailable("What was used is being summed up after an upgrade; try again soon", retry_after=5)
    found = []
    for row in rows:
        if row["request_id"] is not None:
            found.append((*fact(dict(row)), 1))
        if row["was"] is not None:
            found.append((*fact(msgspec.json.decode(row["was"])), -1))
    return [(kind, values, sign) for kind, values, sign in found if _fits(kind, asked)]


def _fits(kind: Kind, asked: Asked) -> bool:
    return asked.since <= kind.bucket_at < asked.until and all(
        getattr(kind, COLUMNS[name]) in values for name, values in asked.filters.items()
    )


def _chosen(asked: Asked) -> list[sa.ColumnElement[bool]]:
    """The rows of the table that hold exactly the calls that are asked for, once each."""
    if asked.everybody:
        return [_together(asked), *(_t[COLUMNS[name]].in_(values) for name, values in asked.filters.items())]
    where = [_t.bucket_at >= asked.since, _t.bucket_at < asked.until, _whose(asked.user_id, everybody=False)]
    if not asked.conversations:
        where.append(_t.conversation_id.in_(("", ALL_CONVERSATIONS)))
    else:
        where.append(_t.conversation_id != ALL_CONVERSATIONS)
    where += [_t[COLUMNS[name]].in_(values) for name, values in asked.filters.items()]
    return where


def _whose(user_id: str | None, *, everybody: bool) -> sa.ColumnElement[bool]:
    """The sums of one account, or of all: as one, or each by itself."""
    if user_id is not None:
        return _t.user_id == user_id
    return _t.user_id == EVERYBODY if everybody else ACCOUNTS


def _together(asked: Asked) -> sa.ColumnElement[bool]:
    """The sums of everybody that hold the time asked for once: whole hours by the hour where the zone's days and hours are of such,
    its ends by the quarter of an hour."""
    low, high = -(-asked.since // HOUR_MS) * HOUR_MS, asked.until // HOUR_MS * HOUR_MS
    offsets = zones.offsets(asked.zone, asked.since, asked.until)
    if (
        any(east % HOUR_MS or since % HOUR_MS for since, east in offsets[1:])
        or offsets[0][1] % HOUR_MS
        or low >= high
    ):
        low = high = asked.until
    hours = sa.and_(_t.user_id == EVERYBODY_HOURLY, _t.bucket_at >= low, _t.bucket_at < high)
    ends = [
        sa.and_(_t.user_id == EVERYBODY, _t.bucket_at >= begin, _t.bucket_at < end)
        for begin, end in ((asked.since, low), (high, asked.until))
        if begin < end
    ]
    return sa.or_(hours, *ends)


def _time(offsets: zones.Offsets, granularity: zones.Granularity) -> sa.ColumnElement[Any]:
    """`zones.period` of a bucket, in SQL."""
    east: Any = sa.literal(offsets[0][1], sa.BigInteger)
    if len(offsets) > 1:
        later = [
            (_t.bucket_at >= since, sa.literal(ms, sa.BigInteger)) for since, ms in reversed(offsets[1:])
        ]
        east = sa.case(*later, else_=east)
    local = _t.bucket_at + east
    if granularity == "hour":
        began: sa.ColumnElement[Any] = local - local % HOUR_MS - east
        return began
    return sa.cast(local // zones.DAY_MS, sa.BigInteger)


# -- calls -------------------------------------------------------------------------------------------------------------


def page(connection: sa.Connection, wanted: Wanted, segments: Segments | None = None) -> Page:
    """Finished calls, newest first, each once however many are added meanwhile. With filters the sums say where to look, so that
    rare calls among a million are found without reading the others."""
    since, until = wanted.since or 0, wanted.until or EVER
    if wanted.after is not None:
        until = min(until, wanted.after.at + 1)
    ranges = iter([(since, until)]) if not wanted.filters else _where(connection, wanted, since, until)
    rows: list[Any] = []
    for low, high in ranges:
        rows += _everywhere(connection, wanted, (low, high), wanted.limit + 1 - len(rows), segments)
        if len(rows) > wanted.limit:
            break
    calls = [_call(row) for row in rows[: wanted.limit]]
    more = len(rows) > wanted.limit
    return Page(calls=calls, after=Place(calls[-1].at, calls[-1].request_id) if more else None)


def _everywhere(
    connection: sa.Connection, wanted: Wanted, when: _Range, most: int, segments: Segments | None
) -> list[Any]:
    """`_rows` of the table and of the archives. A row that is being moved is in both."""
    rows = _rows(connection, wanted, *when, most)
    for segment in archived(connection, segments, *when):
        rows += _rows(segment, wanted, *when, most)
    each = {row["request_id"]: row for row in rows}
    return sorted(each.values(), key=lambda r: (r["created_at"], r["request_id"]), reverse=True)[:most]


def _rows(connection: sa.Connection, wanted: Wanted, low: int, high: int, most: int) -> list[Any]:
    query = sa.select(*READ).where(_u.created_at >= low, _u.created_at < high)
    if wanted.user_id is not None:
        query = query.where(_u.user_id == wanted.user_id)
    if wanted.after is not None:
        at, name = wanted.after.at, wanted.after.request_id
        query = query.where(sa.or_(_u.created_at < at, _u.request_id < name))
    if wanted.without:
        query = query.where(_u.request_id.not_in(sorted(wanted.without)))
    for field, values in wanted.filters.items():
        query = query.where(_value(connection, COLUMNS[field]).in_(values))
    order = (_u.created_at.desc(), _u.request_id.desc())
    return list(connection.execute(query.order_by(*order).limit(most)).mappings())


def _value(connection: sa.Connection, column: str) -> sa.ColumnElement[Any]:
    """What a usage row has in a column of the roll-ups; '' = nothing."""
    if column in _u:
        return sa.func.coalesce(_u[column], "")
    of_json = sa.func.json_extract(_u.detail, "$." + column)
    said = sa.cast(_u.detail, postgresql.JSON)[column].astext if _postgres(connection) else of_json
    return sa.func.coalesce(said, "")


def _where(connection: sa.Connection, wanted: Wanted, since: int, until: int) -> Iterator[_Range]:
    """Times in which calls that fit lie, newest first: by the sums, and those of the rows that are not in them yet."""
    listed = _listed(connection, wanted, since, until)
    while True:
        found = _buckets(connection, wanted, since, until)
        floor = found[-1][0] if len(found) > wanted.limit else since - BUCKET_MS
        counted = {
            **dict.fromkeys((b for b in listed if b > floor), 0),
            **{b: n for b, n in found if b > floor},
        }
        if floor >= since:
            counted[floor] = found[-1][1]
        yield from _ranges(sorted(counted.items(), reverse=True), wanted.limit, since, until)
        if floor < since:
            return
        listed = [b for b in listed if b < floor]
        until = floor


def _ranges(buckets: Sequence[tuple[int, int]], enough: int, since: int, until: int) -> Iterator[_Range]:
    """Neighbouring quarters of an hour as one time, as long as one time does not hold much more than `enough` calls."""
    low = high = calls = 0
    for bucket, count in buckets:
        if high and bucket + BUCKET_MS == low and calls <= enough:
            low, calls = bucket, calls + count
            continue
        if high:
            yield max(low, since), min(high, until)
        low, high, calls = bucket, bucket + BUCKET_MS, count
    if high:
        yield max(low, since), min(high, until)


def _buckets(connection: sa.Connection, wanted: Wanted, since: int, until: int) -> list[tuple[int, int]]:
    """The newest quarters of an hour with calls that fit, and how many."""
    where = [_t.bucket_at > since - BUCKET_MS, _t.bucket_at < until]
    where.append(_whose(wanted.user_id, everybody=wanted.filters.keys() <= OF_EVERYBODY))
    level = _t.conversation_id != ALL_CONVERSATIONS
    if "conversation" not in wanted.filters:
        level = _t.conversation_id.in_(("", ALL_CONVERSATIONS))
    where += [_t[COLUMNS[name]].in_(values) for name, values in wanted.filters.items()]
    query = sa.select(_t.bucket_at, sa.func.sum(_t.requests)).where(level, *where).group_by(_t.bucket_at)
    rows = connection.execute(query.order_by(_t.bucket_at.desc()).limit(wanted.limit + 1))
    return [(at, int(count)) for at, count in rows]


def _listed(connection: sa.Connection, wanted: Wanted, since: int, until: int) -> list[int]:
    """The quarters of an hour of rows that are not summed up yet, whatever they are."""
    bucket = (_u.created_at - _u.created_at % BUCKET_MS).label("bucket_at")
    query = sa.select(bucket).select_from(usage_unrolled.join(usage_records, _u.request_id == _p.request_id))
    query = query.where(_u.created_at >= since, _u.created_at < until)
    if wanted.user_id is not None:
        query = query.where(_p.user_id == wanted.user_id)
    return [row[0] for row in connection.execute(query.distinct())]


def _call(row: Mapping[str, Any]) -> Call:
    detail = json.decode(row["detail"])
    timings = detail.get("timings") or {}
    return Call(
        request_id=row["request_id"],
        user_id=row["user_id"],
        at=row["created_at"],
        model=row["model"],
        requested_model=detail.get("requested_model"),
        provider=row["provider"],
        key_id=row["key_id"],
        agent_id=detail.get("agent_id"),
        conversation_id=detail.get("conversation_id"),
        status=row["status"],
        usage=Usage(**{name: row[name] for name in COUNTS}, estimated=bool(row["estimated"])),
        charge_nano=row["charge_nano"],
        list_cost_nano=row["list_cost_nano"],
        own_key=detail.get("credential") == "byok",
        streamed=bool(detail.get("stream")),
        first_token_ms=timings.get("first_token_ms"),
        total_ms=timings.get("total_ms"),
        tries=len(detail.get("attempts") or ()),
        fallback=detail.get("fallback") is not None,
        error=cause_of(row["status"], detail),
    )


def both(connection: sa.Connection, segment: sa.Connection, since: int, until: int) -> list[str]:
    """Requests of [since, until) that are in a file and still in the table."""
    query = sa.select(_u.request_id).where(_u.created_at >= since, _u.created_at < until)
    names, both = [row[0] for row in segment.execute(query)], []
    for start in range(0, len(names), SOME):
        here = sa.select(_u.request_id).where(_u.request_id.in_(names[start : start + SOME]))
        both += [row[0] for row in connection.execute(here)]
    return both


def _postgres(connection: sa.Connection) -> bool:
    return connection.dialect.name == "postgresql"
