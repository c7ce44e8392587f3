"""How one OpenAI-compatible provider differs from another."""

from collections.abc import Mapping

import msgspec


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """How one OpenAI-compatible provider differs. `refuses`: canonical fields it rejects; `accepts`: the fields without a
    canonical name that it takes, None = all; `renames`: canonical name -> its own; `stream_usage`: it takes
    `stream_options.include_usage`; `freeform`: it takes custom tools; `strict`: it refuses names of speakers, and tools without
    parameters."""

    max_tokens_field: str = "max_tokens"
    stream_usage: bool = True
    refuses: frozenset[str] = frozenset()
    accepts: frozenset[str] | None = None
    renames: Mapping[str, str] = {}
    freeform: bool = False
    strict: bool = False
    path: str = "chat/completions"
