"""Reads price lists out of published wheels: fetched by name with pip, opened as archives, never imported."""

import ast
import gzip
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent_marketplace.catalog.snapshot import Source
from agent_marketplace.catalog.sources import (
    Row,
    genai_prices,
    iso_date,
    litellm,
    make_price,
    parse,
    per_million,
    read_rows,
    token_count,
)
from agent_marketplace.ledger.pricing import PriceTier

SOURCES = (
    Source(name="litellm", version="1.110.2", as_of="2026-11", licence="MIT", url="https://github.com/BerriAI/litellm"),
    Source(
        name="genai-prices", version="0.2.3", as_of="2026-11", licence="MIT", url="https://github.com/pydantic/genai-prices"
    ),
    Source(name="rates", version="1.1.0", as_of="2026-09-28", licence="MIT", url="https://github.com/shehuphd/rates"),
)
"""The wheels, freshest first; `as_of` is as exact as each source says."""

_MEMBERS = {
    "litellm": "litellm/model_prices_and_context_window_backup.json",
    "genai-prices": "genai_prices/data.py",
    "rates": "rates/ai/ledger-ai.json.gz",
}


def download(into: Path) -> None:
    """Fetches the wheels with pip. Raises CalledProcessError if one can't be had."""
    names = [f"{s.name}=={s.version}" for s in SOURCES]
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(into), *names], check=True)  # noqa: S603


def rows(wheels: Path, today: str) -> dict[str, list[Row]]:
    """{source: its rows} from the wheels in a folder."""
    data = {s.name: _member(wheels, s.name) for s in SOURCES}
    return {
        "litellm": litellm(parse(data["litellm"])).rows,
        "genai-prices": genai_prices(_providers(data["genai-prices"].decode()), today=today).rows,
        "rates": rates(parse(gzip.decompress(data["rates"]))),
    }


def _member(wheels: Path, name: str) -> bytes:
    (wheel,) = wheels.glob(f"{name.replace('-', '_')}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(_MEMBERS[name])


# --- genai-prices ships its data as Python: read as a syntax tree, so that nothing of it runs ---


def _providers(code: str) -> Any:
    for statement in ast.parse(code).body:
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and statement.target.id == "providers"
        ):
            return _value(statement.value)
    raise ValueError("genai-prices no longer has a list called providers")


def _value(node: ast.expr | None) -> Any:
    """Constructor calls become dicts of their keywords; Decimal('1.25') its text; date(2026, 3, 1) its ISO form."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {_value(k): _value(v) for k, v in zip(keys, values, strict=True)}
        case ast.Call(func=ast.Name(id="Decimal"), args=[ast.Constant(value=text)]):
            return text
        case ast.Call(func=ast.Attribute(attr="date"), args=args):
            return "-".join(f"{_value(a):02d}" for a in args)
        case ast.Call(func=ast.Attribute(attr="time")):
            return "time"
        case ast.Call(keywords=keywords):
            return {k.arg: _value(k.value) for k in keywords}
        case _:
            return None


# --- rates ---

_RATES_CLASSES = {
    "input": "input_mtok", "output": "output_mtok", "cache_read": "cache_read_mtok", "cache_write_5m": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok", "reasoning": "reasoning_mtok", "audio_input": "input_audio_mtok",
    "audio_output": "output_audio_mtok",
}  # fmt: skip
_RATES_KINDS = {None: "chat", "chat": "chat", "responses": "chat", "embedding": "embedding", "image_generation": "image"}


def rates(document: Any) -> list[Row]:
    """Rows of the `rates` ledger: {models: [facts]}, dollars per million tokens."""
    return read_rows(((facts,) for facts in document["models"]), _rates_row).rows


def _rates_row(facts: Mapping[str, Any]) -> Row | None:
    kind = _RATES_KINDS.get(facts["type"])
    modalities, context = facts["modalities"] or {}, facts["context"] or {}
    outputs = tuple(modalities.get("output") or ("text",))
    if kind is None:
        return None
    if kind == "chat" and "text" not in outputs:
        kind = "image" if "image" in outputs else None
    prices = {k: per_million(facts["price"].get(v)) for k, v in _RATES_CLASSES.items()}
    tiers = [
        PriceTier(
            above_input_tokens=int(t["when"]["over"]),
            **{k: per_million(t["price"].get(v)) for k, v in _RATES_CLASSES.items()},
        )
        for t in facts["price_tiers"]
        if t["when"].get("dimension") == "context"
    ]
    parameters = ["max_tokens", "stop"] if kind == "chat" else []
    parameters += ["tools", "tool_choice"] if facts["tool_call"] else []
    parameters += ["structured_outputs", "response_format"] if facts["structured_output"] else []
    parameters += ["reasoning"] if facts["reasoning"] else []
    return (
        None
        if kind is None
        else Row(
            source="rates",
            provider=facts["provider"],
            upstream_id=facts["id"],
            kind=kind,
            price=make_price(prices, {t.above_input_tokens: t for t in tiers}.values()),
            context=token_count(context.get("input")),
            max_output=token_count(context.get("output")),
            input_modalities=tuple(modalities.get("input") or ("text",)),
            output_modalities=outputs,
            supported_parameters=tuple(parameters),
            released_on=iso_date(facts["lifecycle"]["release_date"]),
            retires_on=iso_date(facts["lifecycle"]["deprecation_date"]),
            retired=facts["lifecycle"]["status"] == "deprecated",
        )
    )
