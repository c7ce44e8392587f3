"""What Q Assistant is asked and what it answers with: the values that the engine's steps hand on."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

import msgspec

from agent_marketplace.catalog import AIModel
from agent_marketplace.recommend.estimate import CostRange
from agent_marketplace.recommend.needs import Needs
from agent_marketplace.recommend.scoring import Candidate, Priority
from agent_marketplace.recommend.tasks import Analysis


class Customer(Protocol):
    """What the engine reads of an account."""

    @property
    def balance(self) -> Decimal: ...

    @property
    def api_keys(self) -> Mapping[str, str]: ...


class Accounts(Protocol):
    """`AIAuthService`, as far as the engine needs it."""

    async def get_user(self, user_id: str) -> Customer: ...


class Wallet(msgspec.Struct, frozen=True):
    """Who asks. available_nano: what the wallet can pay, None = not limited; own_keys: providers the user has a key of."""

    available_nano: int | None = None
    own_keys: frozenset[str] = frozenset()


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One question in full. max_cost_nano: the most that one call may cost; deadline_s: seconds to a whole answer.

    output_tokens: a stated length of the answer; effort: what the caller set, None = the pick's choice; user_id: whose own
    calls tell lengths ("" = nobody's); calls: how many are planned.
    """

    analysis: Analysis
    needs: Needs
    wallet: Wallet
    priority: Priority = "balanced"
    max_cost_nano: int | None = None
    deadline_s: float | None = None
    output_tokens: int | None = None
    effort: str | None = None
    user_id: str = ""
    calls: int = 1

    def within(self, cost: CostRange) -> bool:
        """Whether the cap holds such a call: nearly always, or of many calls on average."""
        if self.max_cost_nano is None:
            return True
        if cost.p95 <= self.max_cost_nano:
            return True
        return self.calls >= MANY_CALLS and cost.mean * 3 <= self.max_cost_nano * 2


MANY_CALLS = 20
"""Calls from which on a budget is a matter of their mean: the dear ones and the cheap ones make up for each other.
A third of it is left to the estimate."""


class Placed(msgspec.Struct, frozen=True):
    """A model at a task. level: as of `Quality`; cost_nano: of a typical call, its usual answer."""

    model: AIModel
    points: float
    level: str
    cost_nano: int


class Expected(NamedTuple):
    """Output tokens of a call, median and 95th percentile, and what they were read from."""

    p50: int
    p95: int
    task: str
    effort: str


class Choice(NamedTuple):
    """What `auto` tries: the model's id, why, and the effort to ask for (None: the call says nothing)."""

    model: str
    reason: str
    effort: str | None = None


class Blocked(msgspec.Struct, frozen=True):
    """A model that would be among the picks if `missing` were there."""

    candidate: Candidate
    missing: str


class Recommendations(msgspec.Struct, frozen=True, kw_only=True):
    """Picks that can be used now (dicts as in `get_recommendations`), and better models with what they lack.

    understood: conditions read off the words; notes: what was not known or not held; nearest: where nothing fits, the models
    that break least; what_if: what a little more money or another condition would bring; settled: by which
    model an unsure type was settled, and what that cost.
    """

    analysis: dict[str, Any]
    recommendations: list[dict[str, Any]]
    blocked: list[dict[str, Any]]
    understood: list[dict[str, Any]] = []
    conditions: dict[str, Any] = {}
    notes: list[str] = []
    nearest: list[dict[str, Any]] = []
    what_if: list[dict[str, Any]] = []
    settled: dict[str, Any] | None = None
