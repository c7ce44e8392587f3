"""Usage of one call in disjoint classes: what providers report, normalised, and what the one pricing function prices.

`CLASSES` says each class once; the price list, the ledger's columns, the sums and the plausibility check derive from it.
Absent differs from zero: a codec that saw no usage returns None instead of a `Usage` of zeros.
"""

from operator import attrgetter
from typing import Literal

import msgspec


class UsageClass(msgspec.Struct, frozen=True, kw_only=True):
    """One class of usage, as prices and sums see it.

    name: its field in `Usage`.
    kind: which total it counts in; `piece` counts in no total of tokens.
    rate: the field of `Price` that prices it (nano-dollars per million tokens, or nano-dollars a piece).
    falls_back_to: the class whose rate is taken where a price list names none for this one; None = it has one, or is free.
    part_of: the class that it is already counted in (reasoning is output), None = none.
    """

    name: str
    kind: Literal["input", "output", "piece"]
    rate: str
    falls_back_to: str | None = None
    part_of: str | None = None


def _tokens(
    name: str, kind: Literal["input", "output"], falls_back_to: str | None = None, part_of: str | None = None
) -> UsageClass:
    return UsageClass(name=name, kind=kind, rate=name, falls_back_to=falls_back_to, part_of=part_of)


CLASSES = (
    _tokens("input", "input"),
    _tokens("cache_read", "input", "input"),
    _tokens("cache_write_5m", "input", "input"),
    _tokens("cache_write_1h", "input", "cache_write_5m"),
    _tokens("output", "output"),
    _tokens("reasoning", "output", "output", part_of="output"),
    _tokens("audio_input", "input", "input"),
    _tokens("audio_output", "output", "output"),
    _tokens("image_input", "input", "input"),
    _tokens("image_output", "output", "output"),
    UsageClass(name="images", kind="piece", rate="per_image"),
)
"""Every class of usage. A new one is a row here, a field of `Usage`, one of `Price` and a column of the ledger's."""

INPUTS = tuple(c.name for c in CLASSES if c.kind == "input")
OUTPUTS = tuple(c.name for c in CLASSES if c.kind == "output" and c.part_of is None)
TOKEN_RATES = tuple(c.rate for c in CLASSES if c.kind != "piece")
PIECE_RATES = tuple(c.rate for c in CLASSES if c.kind == "piece")


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Units of one call. Tokens, except `images` (pieces). Classes are disjoint but for `reasoning`. The four of nearly every
    call come first.

    input: uncached text input; cache_read, cache_write_5m, cache_write_1h: prompt-cache input; output: all output,
    reasoning included; reasoning: the part of `output` spent thinking; audio_input, audio_output, image_input,
    image_output: tokens of those kinds, counted in no other class. estimated: our count, not the provider's.
    """

    input: int = 0
    cache_read: int = 0
    output: int = 0
    reasoning: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    audio_input: int = 0
    audio_output: int = 0
    image_input: int = 0
    image_output: int = 0
    images: int = 0
    estimated: bool = False

    @property
    def prompt_tokens(self) -> int:
        """All input tokens."""
        return sum(_inputs(self))

    @property
    def completion_tokens(self) -> int:
        """All output tokens, reasoning included."""
        return sum(_outputs(self))

    @property
    def total_tokens(self) -> int:
        """Input and output tokens."""
        return self.prompt_tokens + self.completion_tokens


_inputs, _outputs = attrgetter(*INPUTS), attrgetter(*OUTPUTS)
COUNTS = tuple(c.name for c in CLASSES)
"""The fields of `Usage` that count something, in the order of the ledger's columns."""
counts = attrgetter(*COUNTS)
"""Their values, in the order of `COUNTS`."""
