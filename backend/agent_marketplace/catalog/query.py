"""GET /models: filters, sorts and pages over the registry. Every bad value is a BadRequest that says what is allowed."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from agent_marketplace.catalog.facts import CAPABILITIES
from agent_marketplace.catalog.models import TIERS, AIModel
from agent_marketplace.catalog.snapshot import Freshness
from agent_marketplace.errors import BadRequest

if TYPE_CHECKING:
    from agent_marketplace.catalog.ai_marketplace_registry import MarketplaceRegistry

MAX_LIMIT = 5000
DEFAULT_LIMIT = 5000


class Page(msgspec.Struct, frozen=True):
    """One page of models, how many there are in all, facets of all of them, by what they are ordered, how old prices are."""

    models: tuple[AIModel, ...]
    total: int
    facets: dict[str, dict[str, int]]
    basis: str
    prices: Freshness

    def to_dict(self) -> dict[str, Any]:
        """The reply of GET /models but for `success`."""
        return {
            "models": [m.to_dict() for m in self.models],
            "count": len(self.models),
            "total": self.total,
            "facets": self.facets,
            "basis": self.basis,
            "prices": msgspec.to_builtins(self.prices),
        }


def _output_price(model: AIModel) -> int | None:
    return None if model.price is None else model.price.output


def _input_price(model: AIModel) -> int | None:
    return None if model.price is None else model.price.input


_SORTS: dict[str, tuple[Callable[[AIModel], Any], str]] = {
    "price": (lambda m: m.cost_per_1k, "asc"),
    "input_price": (_input_price, "asc"),
    "output_price": (_output_price, "asc"),
    "context": (lambda m: m.context_window or None, "desc"),
    "newest": (lambda m: int(m.released_on.replace("-", "")) if m.released_on else None, "desc"),
    "rating": (lambda m: m.rating, "desc"),
    "use_count": (lambda m: m.use_count, "desc"),
    "latency": (lambda m: m.stats.first_token_p50, "asc"),
    "throughput": (lambda m: m.stats.throughput_p50, "desc"),
    "offers": (lambda m: m.offers_count, "desc"),
}
SORTS = ("popular", "relevance", "ready", "name", *_SORTS)


def run_query(registry: "MarketplaceRegistry", parameters: Mapping[str, str]) -> Page:
    """Reads the parameters, filters, sorts, pages."""
    text = parameters.get("q", "").strip()
    sort = _one_of(parameters, "sort", SORTS, "relevance" if text else "popular")
    order = _one_of(parameters, "order", ("asc", "desc"), "")
    limit = _whole(parameters, "limit", DEFAULT_LIMIT, 0, MAX_LIMIT)
    offset = _whole(parameters, "offset", 0, 0, 10**9)
    tests = _tests(parameters)
    found = [m for m in registry.search_models(text, MAX_LIMIT) if all(test(m) for test in tests)]
    if not (sort == "relevance" and text):
        found = _sorted(found, registry, sort, order)
    elif order == "asc":
        found.reverse()
    basis = (
        "relevance"
        if sort == "relevance" and text
        else registry.popular_basis
        if sort in ("popular", "relevance")
        else sort
    )
    return Page(
        tuple(found[offset : offset + limit]),
        len(found),
        registry.facets(found),
        basis,
        registry.prices_as_of(),
    )


def _sorted(
    models: Sequence[AIModel], registry: "MarketplaceRegistry", sort: str, order: str
) -> list[AIModel]:
    """Missing data sorts last in both directions; equal models stay in order of popularity."""
    place = {m.id: i for i, m in enumerate(registry.get_all_models())}
    popular = sorted(models, key=lambda m: place[m.id])
    if sort in ("popular", "relevance"):
        return popular if order != "asc" else popular[::-1]
    if sort == "ready":  # what can be used now, then what is not retired
        return sorted(popular, key=lambda m: (m.is_available, not m.retired), reverse=order != "asc")
    if sort == "name":
        return sorted(popular, key=lambda m: m.name.lower(), reverse=order == "desc")
    key, natural = _SORTS[sort]
    have = [m for m in popular if key(m) is not None]
    lack = [m for m in popular if key(m) is None]
    return sorted(have, key=key, reverse=(order or natural) == "desc") + lack


def _tests(parameters: Mapping[str, str]) -> list[Callable[[AIModel], bool]]:
    tests: list[Callable[[AIModel], bool]] = []
    if (tier := _one_of(parameters, "tier", ("all", *TIERS), "all")) != "all":
        tests.append(lambda m: m.pricing_tier == tier)
    for capability in _words(parameters, "capability"):
        if capability not in CAPABILITIES:
            raise _bad("capability", capability, CAPABILITIES)
        tests.append(lambda m, c=capability: c in m.capabilities)  # type: ignore[misc]
    if providers := set(_words(parameters, "provider")):
        tests.append(lambda m: bool(providers & {*m.providers, m.maker}))
    if least := _whole(parameters, "min_context", 0, 0, 10**9):
        tests.append(lambda m: m.context_window >= least)
    for name, price in (("max_input_price", _input_price), ("max_output_price", _output_price)):
        if (most := _dollars(parameters, name)) is not None:
            tests.append(lambda m, p=price, n=most: (v := p(m)) is not None and v <= n)  # type: ignore[misc]
    if (local := _flag(parameters, "local")) is not None:
        tests.append(lambda m: m.runs_here == local)
    if (available := _flag(parameters, "available")) is not None:
        tests.append(lambda m: m.is_available == available)
    return tests


def _bad(name: str, value: str, allowed: Sequence[str]) -> BadRequest:
    return BadRequest(f"{name} is {value[:60]!r}; allowed: {', '.join(allowed)}", extra={"parameter": name})


def _one_of(parameters: Mapping[str, str], name: str, allowed: Sequence[str], default: str) -> str:
    value = parameters.get(name, "").strip().lower()
    if value and value not in allowed:
        raise _bad(name, value, allowed)
    return value or default


def _words(parameters: Mapping[str, str], name: str) -> list[str]:
    return [w for w in (part.strip().lower() for part in parameters.get(name, "").split(",")) if w][:20]


def _whole(parameters: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = parameters.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
        raise _bad(name, text, (f"a whole number from {least} to {most}",))
    return int(text)


def _dollars(parameters: Mapping[str, str], name: str) -> int | None:
    """A price limit in dollars per million tokens as nano-dollars; None if absent."""
    text = parameters.get(name, "").strip()
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or not 0 <= amount <= 10**6:
        raise _bad(name, text, ("dollars per million tokens, such as 0.5",))
    return int(amount.scaleb(9))


def _flag(parameters: Mapping[str, str], name: str) -> bool | None:
    text = parameters.get(name, "").strip().lower()
    if not text:
        return None
    if text not in ("true", "false", "1", "0", "yes", "no"):
        raise _bad(name, text, ("true", "false"))
    return text in ("true", "1", "yes")
