"""Reading bodies: typed decoding with words that name the field; our own routing fields, cut out of every body."""

import json
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from agent_marketplace.errors import BadRequest

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

ROUTING_FIELDS = frozenset(
    {
        "models",
        "provider",
        "byok",
        "fallback",
        "on_empty",
        "max_cost",
        "route",
        "session_id",
        "auto",
        "usage",
        "fallbacks",
    }
)
_LONGEST = 200
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_any = msgspec.json.Decoder()


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
    what = what if len(what) <= _LONGEST else f"{what[:_LONGEST]}…"  # it repeats the caller's value
    path = path.rstrip("`").removeprefix("$").lstrip(".")
    what = what[:1].lower() + what[1:]
    return f"{path}: {what}" if path else f"The body: {what}"


def raw_fields(body: bytes) -> dict[str, msgspec.Raw]:
    """Top-level fields, values unparsed. Raises BadRequest."""
    return guarded(_fields.decode, body)


def check_names(body: bytes) -> None:
    """Raises BadRequest where an object of a client's body has two fields of one name: decoders differ in which of them they
    take, and a body that passes as bytes must not be read as one call here and as another at its provider. Also BadRequest
    for what is no JSON.

    A text has as many quotes as its value written anew, unless a field was lost in between; only a backslash that is spelt
    as its number in front of a closing quote looks the same.
    """
    anew = msgspec.json.encode(guarded(_any.decode, body))
    lost = (body.count(b'"') - body.count(b'\\"')) - (anew.count(b'"') - anew.count(b'\\"'))
    if lost:
        try:
            json.loads(body, object_pairs_hook=_distinct)
        except (ValueError, RecursionError) as e:
            raise BadRequest(f"The body is not valid JSON: {e}") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, inner in pairs:
        if name in found:
            raise BadRequest(f"{name[:60]}: is given twice in one object")
        found[name] = inner
    return found


def value(raw: msgspec.Raw) -> Any:
    """One field's value. Raises BadRequest."""
    return guarded(msgspec.json.decode, bytes(raw))


def split_fields(
    fields: Mapping[str, msgspec.Raw], known: frozenset[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(our routing fields, fields without a canonical name). Raises BadRequest."""
    routing = {k: value(v) for k, v in fields.items() if k in ROUTING_FIELDS}
    extra = {k: value(v) for k, v in fields.items() if k not in known and k not in ROUTING_FIELDS}
    return routing, extra


_UNFIT = object()


def tolerant(decode: Callable[[bytes], S], kind: type[S], data: bytes) -> S:
    """What a provider said, where one field of another type than documented costs that field and not the whole event.

    Raises msgspec.DecodeError, UnicodeDecodeError or RecursionError for what is no JSON object.
    """
    try:
        return decode(data)
    except msgspec.ValidationError:
        found: Any = _fitted(msgspec.json.decode(data), kind)
        if not isinstance(found, kind):
            raise
        return found


def _fitted(value: Any, kind: Any) -> Any:
    """The value as `kind`, without the parts of it that do not fit; `_UNFIT` where nothing does. Numbers in quotes are numbers."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        pass
    if get_origin(kind) in (Union, UnionType):
        return next(
            (found for option in get_args(kind) if (found := _fitted(value, option)) is not _UNFIT), _UNFIT
        )
    if isinstance(value, list) and get_origin(kind) is list:
        return [item for v in value if (item := _fitted(v, get_args(kind)[0])) is not _UNFIT]
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fits = {
            f.name: fitted
            for f in msgspec.structs.fields(kind)
            if f.encode_name in value and (fitted := _fitted(value[f.encode_name], f.type)) is not _UNFIT
        }
        return kind(**fits)
    return _UNFIT
