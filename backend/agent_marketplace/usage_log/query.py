"""PURE: a question about usage, checked, and its answer made from sums.

Metrics are made from sums at the end, so a share or a percentile of a group is of its calls, never a mean of means.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Literal, get_args

import msgspec

from agent_marketplace.db.tables.usage_log import FIRST_BINS, SUMS, TOTAL_BINS
from agent_marketplace.errors import BadRequest
from agent_marketplace.usage import COUNTS, INPUTS, OUTPUTS
from agent_marketplace.usage_log import zones
from agent_marketplace.usage_log.facts import BUCKET_MS, quantile
from agent_marketplace.usage_log.zones import Granularity

Dimension = Literal["time", "model", "provider", "key", "agent", "conversation", "status"]
COLUMNS = {
    "model": "model", "provider": "provider", "key": "key_id", "agent": "agent_id",
    "conversation": "conversation_id", "status": "status", "user": "user_id",
}  # fmt: skip
"""Filter or dimension -> column of `usage_rollups`."""
OF_EVERYBODY = frozenset({"model", "provider", "status"})
"""What the sums of everybody tell apart."""
PEOPLE = "user"
"""A dimension of questions about everybody."""
STATUSES = ("ok", "partial", "failed", "cancelled", "lost")
MOST_PERIODS = 1_500
MOST_ROWS = 5_000
MOST_DAYS = 3_700
MOST_VALUES = 50
_FAILED = ("partial", "failed", "lost")

Sums = Mapping[str, int]
Metric = Callable[[Sums], Any]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A checked question. user_id None: of everybody; since, until: ms, whole quarters of an hour; limit: rows."""

    user_id: str | None
    metrics: tuple[str, ...]
    by: tuple[str, ...]
    filters: Mapping[str, tuple[str, ...]]
    zone: tzinfo
    granularity: Granularity
    since: int
    until: int
    limit: int

    @property
    def conversations(self) -> bool:
        """Whether it tells conversations apart."""
        return "conversation" in self.by or "conversation" in self.filters

    @property
    def everybody(self) -> bool:
        """Whether the sums of everybody tell all that it asks for."""
        return self.user_id is None and {*self.by, *self.filters} <= {"time", *OF_EVERYBODY}


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """rows: the dimensions' values and metrics, by time and then dearest first; totals: of all that was asked for."""

    rows: list[dict[str, Any]]
    totals: dict[str, Any]
    truncated: bool


def _share(part: int, of: int) -> float | None:
    return part / of if of else None


def _dollars(nano: int) -> Decimal:
    return Decimal(nano).scaleb(-9)


def _total(sums: Sums, names: Sequence[str]) -> int:
    return sum(sums[name] for name in names)


def _times(timed: str, ms: str, bins: Sequence[str]) -> Metric:
    def read(sums: Sums) -> dict[str, int | None]:
        counted, count = [sums[name] for name in bins], sums[timed]
        marks = {f"p{share}": quantile(counted, share / 100) for share in (50, 90, 99)}
        return {**marks, "mean": round(sums[ms] / count) if count else None, "samples": count}

    return read


METRICS: Mapping[str, Metric] = {
    "spend": lambda s: _dollars(s["charge_nano"]),
    "list_cost": lambda s: _dollars(s["list_cost_nano"]),
    "requests": lambda s: s["requests"],
    "errors": lambda s: s["errors"],
    "error_share": lambda s: _share(s["errors"], s["requests"]),
    "tokens": lambda s: _total(s, INPUTS) + _total(s, OUTPUTS),
    "input_tokens": lambda s: _total(s, INPUTS),
    "output_tokens": lambda s: _total(s, OUTPUTS),
    "classes": lambda s: {name: s[name] for name in COUNTS if s[name]},
    "cache_share": lambda s: _share(s["cache_read"], _total(s, INPUTS)),
    "latency": _times("total_timed", "total_ms", TOTAL_BINS),
    "first_token": _times("first_timed", "first_ms", FIRST_BINS),
}
OPERATORS: Mapping[str, Metric] = {
    **METRICS,
    "provider_cost": lambda s: _dollars(s["provider_cost_nano"]),
    "absorbed": lambda s: _dollars(s["absorbed_nano"]),
    "margin": lambda s: _dollars(s["charge_nano"] - s["provider_cost_nano"]),
}
"""What can be asked for (of everybody: all of it): money in dollars, times in ms. `errors`: calls that failed, were lost or broke
off in the middle."""


def ask(
    *,
    user_id: str | None,
    metrics: Sequence[str],
    by: Sequence[str],
    filters: Mapping[str, Sequence[str]],
    tz: str,
    granularity: Granularity,
    since: int | None,
    until: int | None,
    days: int,
    now: int,
    limit: int,
) -> Asked:
    """Checks a question. since, until: ms; without since it begins at a local midnight, `days` of them back.

    Raises BadRequest with the `field` that is wrong.
    """
    zone = zones.zone_of(tz)
    end = -(-(now if until is None else until) // BUCKET_MS) * BUCKET_MS
    begin = zones.midnight(zone, zones.day_of(zone, end - 1) - days + 1) if since is None else since
    begin -= begin % BUCKET_MS
    asked = Asked(
        user_id=user_id,
        metrics=_known(metrics, METRICS if user_id is not None else OPERATORS, "metrics"),
        by=_known(by, (*get_args(Dimension), *(() if user_id is not None else (PEOPLE,))), "by"),
        filters=checked_filters(filters),
        zone=zone,
        granularity=granularity,
        since=begin,
        until=end,
        limit=min(limit, MOST_ROWS),
    )
    if not asked.metrics:
        raise BadRequest("Name at least one metric", extra={"field": "metrics", "known": list(METRICS)})
    if len(asked.by) > 2:
        raise BadRequest("At most two dimensions at once", extra={"field": "by"})
    check_period(begin, end)
    if "time" in asked.by and zones.count(zone, begin, end, granularity) > MOST_PERIODS:
        raise BadRequest(
            f"More than {MOST_PERIODS} periods: ask for a shorter time, or for days instead of hours",
            extra={"field": "granularity"},
        )
    return asked


def check_period(since: int, until: int) -> None:
    """Raises BadRequest unless it is a time of 0 to ten years."""
    if until <= since:
        raise BadRequest("`since` must be before `until`", extra={"field": "since"})
    if since < 0 or until - since > MOST_DAYS * zones.DAY_MS:
        raise BadRequest("At most ten years at once", extra={"field": "since"})


def checked_filters(filters: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The filters that say something. `none` stands for calls without a key, agent or conversation. Raises BadRequest."""
    found = {}
    for name, values in filters.items():
        chosen = tuple(dict.fromkeys("" if v == "none" else v for v in values))
        if len(chosen) > MOST_VALUES or any(len(v) > 200 or "\0" in v for v in chosen):
            raise BadRequest(
                f"At most {MOST_VALUES} values of 200 characters a filter", extra={"field": name}
            )
        if name == "status" and not set(chosen) <= set(STATUSES):
            raise BadRequest(
                f"Unknown status; known: {', '.join(STATUSES)}",
                extra={"field": name, "known": list(STATUSES)},
            )
        if chosen:
            found[name] = chosen
    return found


def _known(given: Sequence[str], known: Sequence[str] | Mapping[str, Any], field: str) -> tuple[str, ...]:
    for name in given:
        if name not in known:
            words = f"Unknown {name[:40]!r} in `{field}`; known: {', '.join(known)}"
            raise BadRequest(words, extra={"field": field, "known": list(known)})
    return tuple(dict.fromkeys(given))


class _Read(dict[str, int]):
    """Ones (of zeros less would be looked at) that remember which of them were read."""

    def __missing__(self, name: str) -> int:
        self[name] = 1
        return 1


def needed(asked: Asked) -> tuple[str, ...]:
    """The sums that its metrics are made of, requests first: every column that is not read makes a million rows quicker."""
    read = _Read(requests=1, charge_nano=1)
    for metric in asked.metrics:
        OPERATORS[metric](read)
    return tuple(name for name in SUMS if name in read)


def answer(asked: Asked, names: Sequence[str], groups: Mapping[tuple[Any, ...], Sequence[int]]) -> Found:
    """groups: the values of `asked.by`, then the status -> the sums named `names`. Weeks and months are made of days here."""
    folded: dict[tuple[Any, ...], dict[str, int]] = {}
    totals = dict.fromkeys((*names, "errors"), 0)
    time = asked.by.index("time") if "time" in asked.by else None
    for group, values in groups.items():
        key, status = list(group[:-1]), group[-1]
        if time is not None:
            key[time] = zones.fold(key[time], asked.granularity)
        sums = folded.setdefault(tuple(key), dict.fromkeys((*names, "errors"), 0))
        for into in (sums, totals):
            for name, value in zip(names, values, strict=True):
                into[name] += value
            if status in _FAILED:
                into["errors"] += values[0]

    def order(item: tuple[tuple[Any, ...], dict[str, int]]) -> tuple[Any, ...]:
        key, sums = item
        first = () if time is None else (key[time],)
        return (*first, -sums["charge_nano"], -sums["requests"], *map(str, key))

    present = [item for item in folded.items() if item[1]["requests"]]
    kept = sorted(_dearest(present, time, asked.limit), key=order)
    rows = [{**_names(asked, key), **_metrics(asked, sums)} for key, sums in kept]
    return Found(rows=rows, totals=_metrics(asked, totals), truncated=len(kept) < len(present))


def _dearest(
    found: list[tuple[tuple[Any, ...], dict[str, int]]], time: int | None, limit: int
) -> list[tuple[tuple[Any, ...], dict[str, int]]]:
    """At most `limit` rows: of the groups that cost most, each in all its periods."""
    if len(found) <= limit:
        return found
    weight: dict[tuple[Any, ...], tuple[int, int, int]] = {}
    for key, sums in found:
        group = tuple(v for place, v in enumerate(key) if place != time)
        charge, requests, rows = weight.get(group, (0, 0, 0))
        weight[group] = (charge + sums["charge_nano"], requests + sums["requests"], rows + 1)
    chosen, room = set(), limit
    for group in sorted(weight, key=lambda g: (-weight[g][0], -weight[g][1], g)):
        room -= weight[group][2]
        if room < 0:
            break
        chosen.add(group)
    return [item for item in found if tuple(v for n, v in enumerate(item[0]) if n != time) in chosen]


def _names(asked: Asked, key: Sequence[Any]) -> dict[str, Any]:
    """The values of the dimensions; None = no key, agent or conversation."""
    return {
        COLUMNS.get(name, name): zones.label(asked.zone, value, asked.granularity)
        if name == "time"
        else value or None
        for name, value in zip(asked.by, key, strict=True)
    }


def _metrics(asked: Asked, sums: Sums) -> dict[str, Any]:
    return {name: OPERATORS[name](sums) for name in asked.metrics}
