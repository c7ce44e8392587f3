"""Reading bodies: typed decoding with words that name the field; our own routing fields, cut out of every body."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from agent_marketplace.errors import BadRequest

T = TypeVar("T")

ROUTING_FIELDS = frozenset(
    {"models", "provider", "byok", "fallback", "on_empty", "max_cost", "route", "session_id", "usage", "fallbacks"}
)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def guarded(decode: Callable[[bytes], T], body: bytes) -> T:
    """Runs a decoder. Raises BadRequest with words that name the field, never anything else."""
    try:
        return decode(body)
    except msgspec.ValidationError as e:
        raise BadRequest(_words(str(e))) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise BadRequest(f"The body is not valid JSON: {e}") from None
    except RecursionError:
        raise BadRequest("The body is nested too deep") from None


def _words(message: str) -> str:
    """msgspec's `Expected `str`, got `int` - at `$.a[0]`` as `a[0]: expected str, got int`."""
    what, _, path = message.partition(" - at `")
    what = what.replace("`", "")
    path = path.rstrip("`").removeprefix("$").lstrip(".")
    what = what[:1].lower() + what[1:]
    return f"{path}: {what}" if path else f"The body: {what}"


def raw_fields(body: bytes) -> dict[str, msgspec.Raw]:
    """Top-level fields, values unparsed. Raises BadRequest."""
    return guarded(_fields.decode, body)


def value(raw: msgspec.Raw) -> Any:
    """One field's value. Raises BadRequest."""
    return guarded(msgspec.json.decode, bytes(raw))


def split_fields(fields: Mapping[str, msgspec.Raw], known: frozenset[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(our routing fields, fields without a canonical name). Raises BadRequest."""
    routing = {k: value(v) for k, v in fields.items() if k in ROUTING_FIELDS}
    extra = {k: value(v) for k, v in fields.items() if k not in known and k not in ROUTING_FIELDS}
    return routing, extra
