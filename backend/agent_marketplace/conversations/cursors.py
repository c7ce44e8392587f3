"""Page cursors: opaque texts that hold the sort key of the last row shown."""

import base64
import binascii

from agent_marketplace import json
from agent_marketplace.errors import BadRequest

MAX_LIMIT = 200


def pack(*parts: int | str) -> str:
    """A cursor after the row with this sort key."""
    return base64.urlsafe_b64encode(json.encode(list(parts))).decode("ascii").rstrip("=")


def unpack(cursor: str, *kinds: type) -> tuple[int | str, ...]:
    """Raises BadRequest on anything that `pack` didn't make of these kinds."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts = json.decode(raw)
    except (binascii.Error, ValueError):
        parts = None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise BadRequest("Unknown cursor")
    if any(isinstance(part, int) and abs(part) >= 2**63 for part in parts):
        raise BadRequest("Unknown cursor")
    return tuple(parts)


def checked_limit(limit: int) -> int:
    """Raises BadRequest."""
    if not 1 <= limit <= MAX_LIMIT:
        raise BadRequest(f"limit must be from 1 to {MAX_LIMIT}")
    return limit
