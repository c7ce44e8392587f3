"""The one JSON codec. Numbers for money are printed exactly from a Decimal, never through a float."""

from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder()

encode = _encoder.encode


def decode(data: bytes | str) -> Any:
    """Parses JSON. Raises ValueError on anything that isn't: bad syntax, NaN, nesting beyond the interpreter's depth."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise ValueError(
            f"not valid JSON: {e}" if not isinstance(e, RecursionError) else "JSON nested too deep"
        ) from None
