"""PURE: local days and hours of a time zone, as whole numbers that a database can group by."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent_marketplace.errors import BadRequest
from agent_marketplace.usage_log.facts import BUCKET_MS, HOUR_MS

Granularity = Literal["hour", "day", "week", "month"]
DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)
Offsets = Sequence[tuple[int, int]]
"""(from this moment on, ms; so far east of UTC, ms), oldest first."""


def zone_of(name: str) -> tzinfo:
    """Raises BadRequest unless it is an IANA time zone."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequest(
            f"Unknown time zone {name[:60]!r}: give an IANA name such as Europe/Berlin", extra={"field": "tz"}
        ) from None


def offset(zone: tzinfo, at: int) -> int:
    """How far the zone is east of UTC at a moment (ms), in ms."""
    east = datetime.fromtimestamp(at / 1000, zone).utcoffset()
    return round(east.total_seconds() * 1000) if east is not None else 0


def offsets(zone: tzinfo, since: int, until: int) -> Offsets:
    """The zone's offsets in [since, until); they change at whole quarters of an hour."""
    found = [(since, offset(zone, since))]
    probes = [*range(since, until, DAY_MS), max(since, until - BUCKET_MS)]
    for before, after in pairwise(probes):
        if offset(zone, after) == found[-1][1]:
            continue
        low, high = before // BUCKET_MS, -(-after // BUCKET_MS)
        while high - low > 1:
            middle = (low + high) // 2
            if offset(zone, middle * BUCKET_MS) == found[-1][1]:
                low = middle
            else:
                high = middle
        found.append((high * BUCKET_MS, offset(zone, high * BUCKET_MS)))
    return found


def period(at: int, east: int, granularity: Granularity) -> int:
    """The number of the period that a moment lies in: local days since 1970, or for hours the moment (ms) it began."""
    local = at + east
    return local - local % HOUR_MS - east if granularity == "hour" else local // DAY_MS


def fold(day: int, granularity: Granularity) -> int:
    """The first day of the week (Monday) or month that a day belongs to."""
    if granularity == "week":
        return day - (day + 3) % 7  # 1970-01-01 was a Thursday
    if granularity == "month":
        return (date.fromordinal(_EPOCH.toordinal() + day).replace(day=1) - _EPOCH).days
    return day


def midnight(zone: tzinfo, day: int) -> int:
    """When a local day begins, ms. Where a clock skips midnight: the first moment of that day."""
    local = datetime.combine(_EPOCH + timedelta(days=day), datetime.min.time(), zone)
    at = round(local.timestamp() * 1000)
    return at + BUCKET_MS * next((n for n in range(8) if day_of(zone, at + n * BUCKET_MS) == day), 0)


def day_of(zone: tzinfo, at: int) -> int:
    """The local day of a moment."""
    return period(at, offset(zone, at), "day")


def label(zone: tzinfo, number: int, granularity: Granularity) -> str:
    """`2026-11-30` for days, weeks (their Monday) and months (their first); hours as a moment with their offset."""
    if granularity != "hour":
        return (_EPOCH + timedelta(days=number)).isoformat()
    east = timezone(timedelta(milliseconds=offset(zone, number)))
    return datetime.fromtimestamp(number / 1000, east).isoformat(timespec="seconds")


def count(zone: tzinfo, since: int, until: int, granularity: Granularity) -> int:
    """About how many periods lie in [since, until)."""
    days = day_of(zone, until - 1) - day_of(zone, since) + 1
    return {"hour": days * 25, "day": days, "week": days // 7 + 2, "month": days // 28 + 2}[granularity]
