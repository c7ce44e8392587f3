"""The caller's routing fields (OpenRouter's names, and ours) as one checked value."""

import fnmatch
from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import msgspec

from agent_marketplace.catalog import AIModel
from agent_marketplace.errors import BadRequest

Byok = Literal["prefer", "only", "never"]
Sort = Literal["price", "throughput", "latency"]

FIELDS = frozenset({"models", "provider", "byok", "fallback", "on_empty", "max_cost", "session_id", "auto"})
_PROVIDER_FIELDS = frozenset(
    {
        "order",
        "only",
        "ignore",
        "allow_fallbacks",
        "require_parameters",
        "sort",
        "max_price",
        "data_collection",
        "zdr",
    }
)
_MAX_LIST = 16


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller asked of the router. max_cost, max_price_*: nano-dollars (the latter per million tokens).

    auto_allow, auto_exclude: names with wildcards; cost_tier: 0 (cheapest) to 10 (best).
    """

    models: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    allow_fallbacks: bool = True
    require_parameters: bool = False
    sort: Sort | None = None
    max_price_input: int | None = None
    max_price_output: int | None = None
    byok: Byok = "prefer"
    fallback: bool | None = None
    on_empty_free: bool = False
    max_cost: int | None = None
    session_id: str | None = None
    auto_allow: tuple[str, ...] = ()
    auto_exclude: tuple[str, ...] = ()
    cost_tier: int | None = None


_NO_WISHES = Preferences()


def called(model: AIModel, patterns: Collection[str]) -> bool:
    """Whether a model's id, alone or behind its maker's, fits one of the patterns (`*` and `?`, no matter the case)."""
    names = (model.id, f"{model.maker}/{model.id}")
    return any(fnmatch.fnmatchcase(name, pattern.lower()) for name in names for pattern in patterns)


def parse(raw: Mapping[str, Any]) -> Preferences:
    """Raises BadRequest naming the field that is wrong."""
    if not raw:
        return _NO_WISHES
    provider = raw.get("provider") or {}
    if not isinstance(provider, Mapping):
        raise BadRequest("provider must be an object")
    unknown = sorted(set(provider) - _PROVIDER_FIELDS)
    if unknown:
        raise BadRequest(f"provider.{unknown[0]} is not known; known: {', '.join(sorted(_PROVIDER_FIELDS))}")
    if provider.get("data_collection") not in (None, "allow") or provider.get("zdr"):
        raise BadRequest(
            "provider.data_collection and provider.zdr can't be promised here: leave them out, or use provider.only"
        )
    max_price = provider.get("max_price") or {}
    if not isinstance(max_price, Mapping):
        raise BadRequest(
            "provider.max_price must be an object with prompt and completion in dollars per 1M tokens"
        )
    return Preferences(
        models=_names(raw.get("models"), "models"),
        order=_names(provider.get("order"), "provider.order"),
        only=_names(provider.get("only"), "provider.only"),
        ignore=_names(provider.get("ignore"), "provider.ignore"),
        allow_fallbacks=_flag(provider.get("allow_fallbacks"), "provider.allow_fallbacks", default=True),
        require_parameters=_flag(
            provider.get("require_parameters"), "provider.require_parameters", default=False
        ),
        sort=_sort(provider.get("sort")),
        max_price_input=_dollars(max_price.get("prompt"), "provider.max_price.prompt"),
        max_price_output=_dollars(max_price.get("completion"), "provider.max_price.completion"),
        byok=_one_of(raw.get("byok"), "byok", ("prefer", "only", "never"), "prefer"),
        fallback=None if raw.get("fallback") is None else _flag(raw["fallback"], "fallback", default=True),
        on_empty_free=_one_of(raw.get("on_empty"), "on_empty", ("error", "free"), "error") == "free",
        max_cost=_dollars(raw.get("max_cost"), "max_cost"),
        session_id=_session(raw.get("session_id")),
        **_auto(raw.get("auto")),
    )


def _auto(value: Any) -> dict[str, Any]:
    """`auto: {allow, exclude, cost_tier}`: which models `auto` may take (wildcards, `maker/*` too), 0 cheapest to 10 best."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadRequest("auto must be an object with allow, exclude and cost_tier")
    if unknown := sorted(set(value) - {"allow", "exclude", "cost_tier"}):
        raise BadRequest(f"auto.{unknown[0]} is not known; known: allow, cost_tier, exclude")
    tier = value.get("cost_tier")
    if tier is not None and (isinstance(tier, bool) or not isinstance(tier, int) or not 0 <= tier <= 10):
        raise BadRequest("auto.cost_tier must be a whole number from 0 to 10")
    return {
        "auto_allow": _names(value.get("allow"), "auto.allow"),
        "auto_exclude": _names(value.get("exclude"), "auto.exclude"),
        "cost_tier": tier,
    }


def _names(value: Any, field: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if (
        not isinstance(value, list)
        or len(value) > _MAX_LIST
        or not all(isinstance(v, str) and v for v in value)
    ):
        raise BadRequest(f"{field} must be a list of at most {_MAX_LIST} names")
    return tuple(value)


def _flag(value: Any, field: str, *, default: bool) -> bool:
    if value is None:
        return default
    if not isinstance(value, bool):
        raise BadRequest(f"{field} must be true or false")
    return value


def _one_of(value: Any, field: str, allowed: tuple[str, ...], default: str) -> Any:
    if value is None:
        return default
    if value not in allowed:
        raise BadRequest(f"{field} must be one of {', '.join(allowed)}")
    return value


def _sort(value: Any) -> Sort | None:
    if isinstance(value, Mapping):
        value = value.get("by")
    chosen: Sort | None = _one_of(value, "provider.sort", ("price", "throughput", "latency"), "") or None
    return chosen


def _dollars(value: Any, field: str) -> int | None:
    """Dollars to nano-dollars, rounded down; a JSON float goes through its shortest decimal text."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadRequest(f"{field} must be an amount of dollars")
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise BadRequest(f"{field} must be an amount of dollars") from None
    if not amount.is_finite() or amount < 0 or amount > 1_000_000:
        raise BadRequest(f"{field} must be between 0 and 1000000 dollars")
    return int(amount.scaleb(9))


def _session(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= 128:
        raise BadRequest("session_id must be a text of at most 128 characters")
    return value
