"""The body of most calls: turns of text, and beside them only numbers and words that are never read to the model.

Said as types, so that one decode tells whether a body is of this kind. Whatever else stands in one, or as another type than
here, makes it another body, which the codecs and `forms` then read by their own rules.
"""

from typing import Annotated, Literal

import msgspec

Name = Annotated[str, msgspec.Meta(max_length=64)]
"""As long as names are: more is something to read, which another rule has to size."""


class Words(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A part of text."""

    type: Literal["text"]
    text: str


class Turn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A turn of text."""

    role: Name
    content: str | list[Words]


class StreamOptions(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """How a stream is to report its usage."""

    include_usage: bool | None = None


class Plain(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A body of nothing but these."""

    messages: list[Turn]
    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    n: int | None = None
    seed: int | None = None
    stop: Name | Annotated[list[Name], msgspec.Meta(max_length=16)] | None = None
    reasoning_effort: Name | None = None
    user: Name | None = None


_decoder = msgspec.json.Decoder(Plain)


def read(body: bytes) -> Plain | None:
    """The body, or None where it is of another kind. Raises msgspec.DecodeError or RecursionError for what is no JSON."""
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError:
        return None
