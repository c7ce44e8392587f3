"""What is watched, and when it is told. Pure. A rule is raised where two looks in a row are over its limit, and quiet again only
well below it: a value that swings about the limit is told once."""

from typing import Literal, NamedTuple

import msgspec

Unit = Literal["nano", "per mille", "days", "count"]
LOOKS = 2


class Rule(NamedTuple):
    """most: told above it; calm: quiet again at so many per mille of `most`."""

    name: str
    words: str
    unit: Unit
    most: int
    calm: int = 800


class Reading(NamedTuple):
    """What a look found, in the rule's unit, and more in words."""

    value: int
    words: str = ""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it stands: see `db.tables.alerts`."""

    name: str
    armed: int
    most: int
    state: Literal["quiet", "raised"] = "quiet"
    over: int = 0
    value: int | None = None
    words: str = ""
    changed_at: int


RULES = {rule.name: rule for rule in (
    Rule("absorbed", "Borne by the operator within a day, where answers cost more than was held", "nano", 0),
    Rule("provider_errors", "Share of calls to one provider that failed within an hour (from 20 calls on)", "per mille", 200),
    Rule("loss", "Loss within a day: what providers cost above what was charged", "nano", 0),
    Rule("owed", "Debt of accounts whose payments were charged back", "nano", 0),
    Rule("disk", "Share of the data directory's disk that is used", "per mille", 900, 950),
    Rule("unposted", "Answers that wait to be charged until the database is back", "count", 0),
    Rule("stale_prices", "Age of the newest prices that are known", "days", 14),
)}  # fmt: skip


def judged(rule: Rule, before: State, found: Reading, now: int) -> State:
    """The state after a look. now: ms."""
    over = before.over + 1 if found.value > before.most else 0
    state = before.state
    if not before.armed:
        state = "quiet"
    elif over >= LOOKS:
        state = "raised"
    elif found.value <= before.most * rule.calm // 1000:
        state = "quiet"
    return msgspec.structs.replace(
        before, state=state, over=min(over, LOOKS), value=found.value, words=found.words[:300],
        changed_at=now if state != before.state else before.changed_at,
    )  # fmt: skip


def written(unit: Unit, value: int) -> str:
    """A value for people."""
    if unit == "nano":
        sign = "-" if value < 0 else ""
        return f"{sign}${abs(value) // 10**9}.{abs(value) % 10**9 // 10**7:02d}"
    if unit == "per mille":
        return f"{value // 10}.{value % 10} %"
    return f"{value} {unit}" if unit == "days" else str(value)
