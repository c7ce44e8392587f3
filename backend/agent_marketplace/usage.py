"""Usage of one call in disjoint classes: what providers report, normalised, and what the one pricing function prices.

Absent differs from zero: a codec that saw no usage returns None instead of a `Usage` of zeros.
"""

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Units of one call. Tokens, except `images` (pieces). Classes are disjoint but for `reasoning`. The four of nearly every
    call come first.

    input: uncached text input; cache_read, cache_write_5m, cache_write_1h: prompt-cache input; output: all output,
    reasoning included; reasoning: the part of `output` spent thinking; audio_input, audio_output, image_input,
    image_output: tokens of those kinds, counted in no other class.
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
        return (
            self.input
            + self.cache_read
            + self.cache_write_5m
            + self.cache_write_1h
            + self.audio_input
            + self.image_input
        )

    @property
    def completion_tokens(self) -> int:
        """All output tokens, reasoning included."""
        return self.output + self.audio_output + self.image_output

    @property
    def total_tokens(self) -> int:
        """Input and output tokens."""
        return self.prompt_tokens + self.completion_tokens
