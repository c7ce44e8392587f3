"""PURE: what one usage row adds to the sums, and what times of a set of calls can be told from their bins."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from agent_marketplace.db.tables.usage_log import FIRST_BINS, SUMS, TIME_BOUNDS_MS, TOTAL_BINS
from agent_marketplace.usage import COUNTS

BUCKET_MS = 900_000
"""A quarter of an hour: every time zone in use is a whole number of them from UTC."""
ALL_CONVERSATIONS = "*"
EVERYBODY = "*"
EVERYBODY_HOURLY = "*h"
"""The accounts of the sums of all accounts, by the quarter of an hour and by the hour (UTC; `bucket_at` is its begin). They tell no
keys, agents and conversations apart."""
HOUR_MS = 4 * BUCKET_MS
_DELIVERED = ("ok", "partial")
_AT = {name: place for place, name in enumerate(SUMS)}
_PLAIN = ("estimated", *COUNTS, "charge_nano", "absorbed_nano", "provider_cost_nano")
_FIRST_PLAIN = _AT["estimated"]
_LIST = _AT["list_cost_nano"]
_TOTAL, _FIRST = _AT["total_timed"], _AT["first_timed"]
_TOTAL_BIN, _FIRST_BIN = _AT[TOTAL_BINS[0]], _AT[FIRST_BINS[0]]


class Timed(msgspec.Struct, frozen=True):
    """Milliseconds since the request began."""

    first_token_ms: int | None = None
    total_ms: int | None = None


class Said(msgspec.Struct, frozen=True):
    """What is read of a receipt's detail."""

    conversation_id: str | None = None
    agent_id: str | None = None
    timings: Timed | None = None


class Kind(NamedTuple):
    """What calls are summed up by, in the order of the table's key."""

    user_id: str
    conversation_id: str
    bucket_at: int
    model: str
    provider: str
    key_id: str
    agent_id: str
    status: str


_said = msgspec.json.Decoder(Said).decode


def said(detail: str) -> Said:
    """The part of a receipt's detail that is summed up; what is not of its shape counts as not said."""
    try:
        return _said(detail)
    except msgspec.DecodeError:
        return Said()


def fact(row: Mapping[str, Any]) -> tuple[Kind, list[int]]:
    """What a usage row is, and what it adds to each of `SUMS`."""
    told = said(row["detail"])
    at = row["created_at"]
    kind = Kind(
        row["user_id"],
        (told.conversation_id or "")[:80],
        at - at % BUCKET_MS,
        row["model"],
        row["provider"],
        row["key_id"] or "",
        (told.agent_id or "")[:80],
        row["status"],
    )
    sums = [0] * len(SUMS)
    sums[0] = 1
    for place, name in enumerate(_PLAIN, _FIRST_PLAIN):
        sums[place] = int(row[name])
    sums[_LIST] = row["list_cost_nano"] or 0
    if told.timings is not None and kind.status in _DELIVERED:
        _time(sums, told.timings.total_ms, _TOTAL, _TOTAL_BIN)
        _time(sums, told.timings.first_token_ms, _FIRST, _FIRST_BIN)
    return kind, sums


def _time(sums: list[int], ms: int | None, timed: int, bins: int) -> None:
    if ms is not None and ms >= 0:
        sums[timed] += 1
        sums[timed + 1] += ms
        sums[bins + bisect_left(TIME_BOUNDS_MS, ms)] += 1


def add(totals: dict[Any, list[int]], key: Any, sums: Sequence[int], sign: int = 1) -> None:
    """Adds (or takes away) in place."""
    have = totals.get(key)
    if have is None:
        totals[key] = list(sums) if sign == 1 else [-value for value in sums]
        return
    for place, value in enumerate(sums):
        if value:
            have[place] += sign * value


def levels(kind: Kind) -> tuple[Kind, ...]:
    """The rows of the table that a call counts in: of its conversation and of all conversations, or of no conversation; and of
    everybody."""
    together = kind._replace(user_id=EVERYBODY, conversation_id="", key_id="", agent_id="")
    hour = kind.bucket_at - kind.bucket_at % HOUR_MS
    everybody = (together, together._replace(user_id=EVERYBODY_HOURLY, bucket_at=hour))
    if not kind.conversation_id:
        return kind, *everybody
    return kind, kind._replace(conversation_id=ALL_CONVERSATIONS), *everybody


def quantile(bins: Sequence[int], share: float) -> int | None:
    """Milliseconds below which `share` of the times lie, read off inside its bin in proportion; None = there are none."""
    total = sum(bins)
    if total <= 0:
        return None
    wanted, seen = share * total, 0
    for place, count in enumerate(bins):
        if count and seen + count >= wanted:
            if place == len(TIME_BOUNDS_MS):
                return TIME_BOUNDS_MS[-1]
            low = TIME_BOUNDS_MS[place - 1] if place else 0
            return round(low + (TIME_BOUNDS_MS[place] - low) * (wanted - seen) / count)
        seen += count
    return TIME_BOUNDS_MS[-1]
