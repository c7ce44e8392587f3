"""What may be said of runs. Money in nano-dollars, times in ms; nobody's name, prompt, file or argument is in any of it."""

import msgspec


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """What others gave. low, high: 95 % interval of the mean, 1 to 5; all None without ratings."""

    n: int = 0
    mean: float | None = None
    low: float | None = None
    high: float | None = None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's last 30 days, as its card says them: runs by others than its author, over all versions.

    success, refunded: shares 0 to 1 of ended runs and of fees; None without any. payers: distinct users.
    """

    runs: int = 0
    payers: int = 0
    success: float | None = None
    refunded: float | None = None
    cost_p50_nano: int | None = None
    took_p50_ms: int | None = None
    rating: Rating = Rating()


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What a run will cost: from n delivered runs of this very version, or without enough of them (n < 20) None."""

    n: int
    p50_nano: int | None = None
    p90_nano: int | None = None


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One rating with its words; nobody's name."""

    stars: int
    words: str
    version: int
    at: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody reported to the operator."""

    report_id: str
    agent_id: str
    version: int
    user_id: str
    why: str
    words: str
    at: int


class OwnFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What an author sees of an agent of theirs, since `since` (ms). enough: at least five users ran it; without them only
    runs and revenue are said. days: {YYYY-MM-DD: (runs, delivered)} of days on which so many ran it; errors: {class: runs}, `other`
    for those that fewer met."""

    since: int
    runs: int
    revenue_nano: int
    enough: bool
    users: int | None = None
    delivered: int | None = None
    took_p50_ms: int | None = None
    took_p90_ms: int | None = None
    errors: dict[str, int] = {}
    days: dict[str, tuple[int, int]] = {}
    rating: Rating | None = None
