"""One condition that was read off a request's words."""

from typing import Any

import msgspec


class Understood(msgspec.Struct, frozen=True):
    """One condition. kind: a field of `conditions.Conditions`; value: as that field; words: what was read; says: for people."""

    kind: str
    value: Any
    words: str
    says: str
