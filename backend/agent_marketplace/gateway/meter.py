"""What one answer has delivered so far: read off the events, never from a provider's promise."""

import time
from collections.abc import Sequence

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Done,
    Event,
    Finish,
    Finished,
    Malformed,
    ReasoningDelta,
    StreamError,
    TextDelta,
    ToolCallDelta,
    UsageSeen,
)

_CHARACTERS_PER_TOKEN = 4


class Meter:
    """Counts characters, remembers usage, finish and errors. Times: seconds of `time.monotonic`."""

    __slots__ = ("characters", "done", "error", "finish", "first_at", "malformed", "native", "parts", "usage")

    def __init__(self, *, keep_text: bool = False) -> None:
        self.characters = 0
        self.usage: Usage | None = None
        self.finish: Finish | None = None
        self.native = ""
        self.done = False
        self.error: MarketplaceError | None = None
        self.malformed = 0
        self.first_at: float | None = None
        self.parts: list[str] | None = [] if keep_text else None

    def see(self, events: Sequence[Event]) -> None:
        """Takes note of events in their order."""
        for event in events:
            if isinstance(event, TextDelta):
                self._delivered(len(event.text))
                if self.parts is not None:
                    self.parts.append(event.text)
            elif isinstance(event, ReasoningDelta):
                self._delivered(len(event.text))
            elif isinstance(event, ToolCallDelta):
                self._delivered(len(event.arguments) + len(event.name))
            elif isinstance(event, UsageSeen):
                self.usage = event.usage
            elif isinstance(event, Finished):
                self.finish, self.native = event.reason, event.native
            elif isinstance(event, Done):
                self.done = True
            elif isinstance(event, StreamError):
                self.error = self.error or event.error
            elif isinstance(event, Malformed):
                self.malformed += 1

    def output_tokens(self) -> int:
        """Tokens delivered, estimated from characters (4 a token: English prose and code; docs/billing.md)."""
        return -(-self.characters // _CHARACTERS_PER_TOKEN)

    @property
    def text(self) -> str:
        return "".join(self.parts or ())

    def _delivered(self, characters: int) -> None:
        if characters:
            self.characters += characters
            if self.first_at is None:
                self.first_at = time.monotonic()
