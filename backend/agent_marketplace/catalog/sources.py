"""Readers of public price lists: each turns one list's JSON into rows of ours. Pure; what is malformed is left out.

Decimals are parsed from text (never through a float) and become int nano-dollars per million units.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from agent_marketplace.ledger.pricing import Price, PriceTier, validate_price

PRICE_CEILING = 1_000 * 10**9
"""Nano-dollars per million tokens ($1,000): dearer rows are taken for a mistake of units and lose their price."""

PIECE_CEILING = 10 * 10**9
"""Nano-dollars ($10) a request or image."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One model at one provider as one source tells it. context: total tokens; dates ISO 8601."""

    source: str
    provider: str
    upstream_id: str
    kind: str = "chat"
    name: str | None = None
    price: Price | None = None
    context: int | None = None
    max_input: int | None = None
    max_output: int | None = None
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    supported_parameters: tuple[str, ...] = ()
    released_on: str | None = None
    retires_on: str | None = None
    retired: bool = False


def parse(data: bytes | str) -> Any:
    """JSON with exact numbers: no float is ever made. Raises ValueError on bad syntax, NaN or infinity."""

    def refuse(text: str) -> Any:
        raise ValueError(f"{text} is not a number")

    try:
        return json.loads(data, parse_float=Decimal, parse_constant=refuse)
    except RecursionError:
        raise ValueError("JSON nested too deep") from None


def per_million(value: object, unit: Decimal = Decimal(1)) -> int | None:
    """A price in dollars per `1/unit` of a million as int nano-dollars per million; None if absent or not a number.

    Raises ValueError on a number that no price can be: negative, infinite, over the ceiling.
    """
    if value is None or isinstance(value, bool):
        return None
    try:
        amount = Decimal(str(value)) * unit
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount < 0 or amount * 10**9 > PRICE_CEILING:
        raise ValueError(f"{value} is not a price")
    return int((amount * 10**9).to_integral_value())


def per_token(value: object) -> int | None:
    """A price in dollars per token as int nano-dollars per million tokens."""
    return per_million(value, Decimal(10**6))


def per_piece(value: object) -> int:
    """A price in dollars a piece as int nano-dollars; 0 if absent."""
    nano = per_million(value)
    if nano is not None and nano > PIECE_CEILING:
        raise ValueError(f"{value} is not a price a piece")
    return nano or 0


def make_price(
    fields: Mapping[str, int | None], tiers: Iterable[PriceTier] = (), **pieces: int
) -> Price | None:
    """A validated price; None where neither text nor piece price is known. A missing one of input and output is 0."""
    if fields.get("input") is None and fields.get("output") is None and not any(pieces.values()):
        return None
    known = {k: v for k, v in fields.items() if v is not None}
    ordered = tuple(sorted(tiers, key=lambda t: t.above_input_tokens))
    return validate_price(Price(**{"input": 0, "output": 0, **known}, **pieces, tiers=ordered))


def token_count(value: object) -> int | None:
    """A token limit; None if absent or absurd."""
    try:
        number = int(Decimal(str(value)))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return number if 0 < number <= 100_000_000 else None


def iso_date(value: object) -> str | None:
    """`2026-04-23` from a full or a month-only date; None if it is none."""
    if not isinstance(value, str):
        return None
    for text in (value[:10], f"{value[:7]}-01"):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            continue
    return None


class Reading(msgspec.Struct, frozen=True):
    """What a list gave: rows, and for each row that could not be read its name and why."""

    rows: list[Row]
    refused: list[str]


def read_rows(items: Iterable[tuple[Any, ...]], read: Callable[..., Row | None]) -> Reading:
    """Reads what can be read; a row of another shape, or with an impossible price, is refused and named."""
    rows: list[Row] = []
    refused: list[str] = []
    for item in items:
        try:
            row = read(*item)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, ArithmeticError) as problem:
            label = " ".join(part if isinstance(part, str) else _label(part) for part in item)
            refused.append(f"{label[:150]}: {str(problem)[:120] or type(problem).__name__}")
            continue
        if row is not None and row.upstream_id and row.provider:
            rows.append(row)
    return Reading(rows, refused)


def _label(facts: object) -> str:
    return str(facts.get("id", "")) if isinstance(facts, Mapping) else ""


# --- LiteLLM: model_prices_and_context_window.json, dollars per token ---

_LITELLM_CLASSES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write_5m": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "reasoning": "output_cost_per_reasoning_token",
    "audio_input": "input_cost_per_audio_token",
    "audio_output": "output_cost_per_audio_token",
    "image_input": "input_cost_per_image_token",
    "image_output": "output_cost_per_image_token",
}
_LITELLM_FLAGS = {
    "supports_function_calling": ("tools", "tool_choice"),
    "supports_response_schema": ("structured_outputs", "response_format"),
    "supports_reasoning": ("reasoning",),
    "supports_web_search": ("web_search",),
}
_LITELLM_KINDS = {"chat": "chat", "responses": "chat", "embedding": "embedding", "image_generation": "image"}
_LITELLM_UNBOUNDED = ("input_cost_per_second", "output_cost_per_second", "input_cost_per_query")
"""Fees of time and of searches, which nobody can bound before a call: what bills them serves own keys only."""
_LITELLM_STEPS = (32, 100, 128, 200, 256, 272, 512)


def litellm(document: Any) -> Reading:
    """Rows of LiteLLM's raw JSON: {model: facts}."""
    return read_rows(document.items(), _litellm_row)


def _litellm_row(name: str, facts: Mapping[str, Any]) -> Row | None:
    kind = _LITELLM_KINDS.get(facts.get("mode", ""))
    provider = facts.get("litellm_provider", "")
    if (
        kind is None
        or name.startswith("ft:")
        or " " in provider
        or any("-x-" in part for part in name.split("/"))
    ):
        return None
    tiers: list[PriceTier] = []
    for step in _LITELLM_STEPS:
        over = {k: per_token(facts.get(f"{v}_above_{step}k_tokens")) for k, v in _LITELLM_CLASSES.items()}
        if any(v is not None for v in over.values()):
            tiers.append(PriceTier(above_input_tokens=step * 1000, **over))
    price = make_price(
        {k: per_token(facts.get(v)) for k, v in _LITELLM_CLASSES.items()},
        tiers,
        per_image=per_piece(facts.get("output_cost_per_image")) if kind == "image" else 0,
        per_request=per_piece(facts.get("input_cost_per_request")),
    )
    if any(per_piece(facts.get(unit)) for unit in _LITELLM_UNBOUNDED):
        price = None
    parameters = [p for flag, names in _LITELLM_FLAGS.items() if facts.get(flag) is True for p in names]
    if kind == "chat":
        sampling = () if facts.get("supports_sampling_params") is False else ("temperature", "top_p")
        parameters += ["max_tokens", "stop", *sampling]
    return Row(
        source="litellm",
        provider=provider,
        upstream_id=_strip_provider(name, provider),
        kind=kind,
        price=price,
        max_input=token_count(facts.get("max_input_tokens")),
        max_output=token_count(facts.get("max_output_tokens")),
        input_modalities=_litellm_inputs(facts),
        output_modalities=tuple(facts.get("supported_output_modalities") or ()),
        supported_parameters=tuple(parameters),
        retires_on=iso_date(facts.get("deprecation_date")),
    )


def _strip_provider(name: str, provider: str) -> str:
    head, _, rest = name.partition("/")
    route = provider.split("-")[0]
    return rest if rest and head in (provider, route, route.split("_")[0], "cohere") else name


def _litellm_inputs(facts: Mapping[str, Any]) -> tuple[str, ...]:
    listed = list(facts.get("supported_modalities") or ["text"])
    for flag, modality in (
        ("vision", "image"),
        ("audio_input", "audio"),
        ("video_input", "video"),
        ("pdf_input", "pdf"),
    ):
        if facts.get(f"supports_{flag}") is True and modality not in listed:
            listed.append(modality)
    return tuple(listed)


# --- models.dev: api.json, dollars per million ---


def models_dev(document: Any) -> Reading:
    """Rows of models.dev's api.json: {provider: {models: {id: facts}}}."""
    items = ((p, m, f) for p, body in document.items() for m, f in (body.get("models") or {}).items())
    return read_rows(items, _models_dev_row)


def _models_dev_row(provider: str, model: str, facts: Mapping[str, Any]) -> Row | None:
    cost, limit, modalities = facts.get("cost") or {}, facts.get("limit") or {}, facts.get("modalities") or {}
    tiers = []
    if over := cost.get("context_over_200k"):
        tiers.append(PriceTier(above_input_tokens=200_000, **_models_dev_prices(over)))
    tiers += [
        PriceTier(
            above_input_tokens=token_count((t.get("tier") or {}).get("size")) or 1, **_models_dev_prices(t)
        )
        for t in cost.get("tiers") or ()
        if (t.get("tier") or {}).get("type") == "context"
    ]
    unique = {t.above_input_tokens: t for t in tiers}
    parameters = ["max_tokens", "stop"]
    parameters += ["temperature", "top_p"] if facts.get("temperature") is not False else []
    parameters += ["tools", "tool_choice"] if facts.get("tool_call") else []
    parameters += ["structured_outputs", "response_format"] if facts.get("structured_output") else []
    parameters += ["reasoning"] if facts.get("reasoning") else []
    outputs = tuple(modalities.get("output") or ("text",))
    return Row(
        source="models.dev",
        provider=provider,
        upstream_id=model,
        name=facts.get("name") if isinstance(facts.get("name"), str) else None,
        kind="chat" if "text" in outputs else "image" if "image" in outputs else "other",
        price=make_price(_models_dev_prices(cost), unique.values()),
        context=token_count(limit.get("context")),
        max_input=token_count(limit.get("input")),
        max_output=token_count(limit.get("output")),
        input_modalities=tuple(modalities.get("input") or ("text",)),
        output_modalities=outputs,
        supported_parameters=tuple(parameters),
        released_on=iso_date(facts.get("release_date")),
        retired=facts.get("status") == "deprecated",
    )


def _models_dev_prices(cost: Mapping[str, Any]) -> dict[str, int | None]:
    names = {"cache_write_5m": "cache_write", "audio_input": "input_audio", "audio_output": "output_audio"}
    kept = ("input", "output", "cache_read", "cache_write_5m", "reasoning", "audio_input", "audio_output")
    return {k: per_million(cost.get(names.get(k, k))) for k in kept}


# --- OpenRouter: /api/v1/models, dollars per token ---


def openrouter(document: Any) -> Reading:
    """Rows of OpenRouter's /api/v1/models: {data: [facts]}."""
    return read_rows(((facts,) for facts in document["data"]), _openrouter_row)


def _openrouter_row(facts: Mapping[str, Any]) -> Row | None:
    pricing, architecture = facts.get("pricing") or {}, facts.get("architecture") or {}
    if any(Decimal(str(pricing.get(k) or 0)) < 0 for k in ("prompt", "completion")):
        return None  # -1 marks a router whose price depends on what it picks
    names = {
        "input": "prompt", "output": "completion", "cache_read": "input_cache_read", "cache_write_5m": "input_cache_write",
        "reasoning": "internal_reasoning", "audio_input": "audio", "image_output": "image_output",
    }  # fmt: skip
    prices = {k: per_token(pricing.get(v)) for k, v in names.items()}
    if not prices["reasoning"]:
        prices["reasoning"] = None  # "0" here means: billed as output
    top = facts.get("top_provider") or {}
    return Row(
        source="openrouter",
        provider="openrouter",
        upstream_id=facts["id"],
        name=facts.get("name"),
        price=make_price(prices, per_request=per_piece(pricing.get("request"))),
        context=token_count(facts.get("context_length")),
        max_output=token_count(top.get("max_completion_tokens")),
        input_modalities=tuple(architecture.get("input_modalities") or ("text",)),
        output_modalities=tuple(architecture.get("output_modalities") or ("text",)),
        supported_parameters=tuple(facts.get("supported_parameters") or ()),
        retires_on=iso_date(facts.get("expiration_date")),
    )


# --- genai-prices: v2 data.json, dollars per million ---

_GENAI_CLASSES = {
    "input": "input_mtok", "output": "output_mtok", "cache_read": "cache_read_mtok", "cache_write_5m": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok", "reasoning": "output_reasoning_mtok", "audio_input": "input_audio_mtok",
    "audio_output": "output_audio_mtok", "image_input": "input_image_mtok", "image_output": "output_image_mtok",
}  # fmt: skip


def genai_prices(document: Any, *, today: str) -> Reading:
    """Rows of genai-prices' data.json: [{id, models: [{id, prices, ...}]}]; dated prices as of `today` (ISO 8601)."""
    items = ((p["id"], m, today) for p in document for m in p.get("models") or ())
    return read_rows(items, _genai_row)


def _genai_row(provider: str, facts: Mapping[str, Any], today: str) -> Row | None:
    prices = facts.get("prices") or {}
    if isinstance(prices, list):
        prices = _current(prices, today)
    fields: dict[str, int | None] = {}
    steps: dict[int, dict[str, int | None]] = {}
    for ours, theirs in _GENAI_CLASSES.items():
        value = prices.get(theirs)
        if isinstance(value, Mapping):
            for tier in value.get("tiers") or ():
                steps.setdefault(int(tier["start"]), {})[ours] = per_million(tier["price"])
            value = value.get("base")
        fields[ours] = per_million(value)
    tiers = [PriceTier(above_input_tokens=start, **step) for start, step in steps.items() if start > 0]
    per_thousand = per_million(prices.get("requests_kcount"))
    return Row(
        source="genai-prices",
        provider=provider,
        upstream_id=facts["id"],
        name=facts.get("name"),
        price=make_price(fields, tiers, per_request=(per_thousand or 0) // 1000),
        context=token_count(facts.get("context_window")),
        retired=facts.get("deprecated") is True,
    )


def _current(dated: list[Any], today: str) -> Mapping[str, Any]:
    """The last entry in force; entries bound to a time of day lose to the base price, which is what a ledger may charge."""
    chosen: Mapping[str, Any] = {}
    for entry in dated:
        constraint = entry.get("constraint") or {}
        if "start_time" not in constraint and str(constraint.get("start_date") or "") <= today:
            chosen = entry.get("prices") or {}
    return chosen
