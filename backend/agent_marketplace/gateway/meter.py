"""What one answer has delivered so far: read off the events, never from a provider's promise."""

import io
import time
from collections.abc import Sequence

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.gateway.thoughts import Thoughts
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Done,
    Event,
    Finish,
    Finished,
    ImagePart,
    Malformed,
    ReasoningDelta,
    StreamError,
    TextDelta,
    ToolCallDelta,
    UsageSeen,
)
from agent_marketplace.wires.shared.bounds import Family, measure
from agent_marketplace.wires.shared.tokens import count_text

_BYTES_PER_TOKEN = 4
_PICTURE = "picture " * 1290
"""Stands for one that was delivered, where its provider says no more: as many tokens as Google counts for it."""
_A_CALL = 32  # marks round a tool call, which differ from model to model


class Meter:
    """Keeps what was delivered, remembers usage, finish and errors. Times: seconds of `time.monotonic`; size: bytes of UTF-8."""

    __slots__ = (
        "_most", "_other", "_priced", "_sized", "_text", "calls", "characters", "done", "error", "finish", "first_at",
        "malformed", "native", "size", "thoughts", "usage",
    )  # fmt: skip

    def __init__(self) -> None:
        self.characters = 0
        self.usage: Usage | None = None
        self.finish: Finish | None = None
        self.native = ""
        self.thoughts = Thoughts()
        self.done = False
        self.error: MarketplaceError | None = None
        self.malformed = 0
        self.first_at: float | None = None
        self._text = io.StringIO()
        self._other = io.StringIO()
        self._priced = (0, 0)
        self.size = 0
        self.calls = 0
        self._sized = (0, 0)
        self._most = 0

    def see(self, events: Sequence[Event]) -> None:
        """Takes note of events in their order."""
        for event in events:
            if isinstance(event, TextDelta):
                self._delivered(self._text, event.text)
            elif isinstance(event, ReasoningDelta):
                self._delivered(self._other, event.text)
                self.thoughts.reasoned(event)
            elif isinstance(event, ToolCallDelta):
                self.thoughts.called(event)
                self.calls += bool(event.name)
                self._delivered(self._other, event.name + event.arguments)
            elif isinstance(event, ImagePart):
                self._delivered(self._other, _PICTURE)
            elif isinstance(event, UsageSeen):
                self._report(event.usage)
            elif isinstance(event, Finished):
                self.finish, self.native = event.reason, event.native
            elif isinstance(event, Done):
                self.done = True
                if self.finish is None and self.characters > 0:
                    self.finish = (
                        Finish.STOP
                    )  # the provider ended the stream itself: whole, though without a reason (ADR 7)
            elif isinstance(event, StreamError):
                self.error = self.error or event.error
            elif isinstance(event, Malformed):
                self.malformed += 1

    def _report(self, usage: Usage) -> None:
        """The last report counts; zeros after a real one are no report (some providers end every stream with them)."""
        if self.usage is None or usage.total_tokens or not self.usage.total_tokens:
            self.usage = usage
        self._priced = (self._text.tell(), self._other.tell())

    def running_tokens(self) -> int:
        """Tokens delivered so far, cheaply: four bytes of UTF-8 a token. For the hold's slices, never for the bill."""
        return -(-self.size // _BYTES_PER_TOKEN)

    def most_tokens(self, family: Family) -> int:
        """The most tokens that the provider can have counted for what was delivered so far. What came since the last time is
        measured; where it was cut, a word may have fallen apart into one token more."""
        pieces = [
            _since(buffer, at) for buffer, at in zip((self._text, self._other), self._sized, strict=True)
        ]
        self._sized = (self._text.tell(), self._other.tell())
        self._most += sum(measure(piece).tokens(family) + 1 for piece in pieces if piece)
        return self._most + _A_CALL * self.calls

    def delivered_tokens(self) -> int:
        """Tokens delivered (text, thinking, tool calls) by our offline counter."""
        return count_text(self._text.getvalue()) + count_text(self._other.getvalue())

    def unreported_tokens(self) -> int:
        """Tokens delivered after the provider's last word on usage, by our counter: its counts may be of the beginning only."""
        text, other = self._priced
        return count_text(_since(self._text, text)) + count_text(_since(self._other, other))

    @property
    def text(self) -> str:
        return self._text.getvalue()

    def _delivered(self, into: io.StringIO, piece: str) -> None:
        if piece:
            into.write(piece)
            self.characters += len(piece)
            self.size += len(piece) if piece.isascii() else len(piece.encode("utf-8", "surrogatepass"))
            if self.first_at is None:
                self.first_at = time.monotonic()


def _since(buffer: io.StringIO, at: int) -> str:
    """What was written behind a place, without a copy of what stands before it. The next piece is written behind all of it."""
    buffer.seek(at)
    return buffer.read()
