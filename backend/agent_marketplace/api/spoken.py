"""What a run says to a client of some wire, in the order in which it is to be read, and the same as a whole reply.

Wires with a form for calls on the server's side (Responses: `mcp_call`; Anthropic: `mcp_tool_use`) get them in it; the others,
whose clients break on calls that are not theirs, are told of them as thinking.
"""

import asyncio
from collections.abc import Sequence

from agent_marketplace.runs.live import Live, Shown, ToolBegan
from agent_marketplace.wires.base import (
    AskedLeave,
    Event,
    Part,
    RanTool,
    ReasoningDelta,
    ReasoningPart,
    TextDelta,
    TextPart,
)

NATIVE = frozenset({"anthropic", "responses"})
_SILENCE_S = 10.0


class Spoken:
    """wire: the client's. A new step's text begins in a new paragraph."""

    def __init__(self, wire: str) -> None:
        self._native = wire in NATIVE
        self.waiting: list[Event] = []
        self._all: list[Event] = []
        self._said = False
        self._news = asyncio.Event()
        self._parted = False

    @property
    def text(self) -> str:
        """All text so far."""
        return "".join(e.text for e in self._all if isinstance(e, TextDelta))

    def hear(self, events: Sequence[Shown]) -> None:
        for event in events:
            if isinstance(event, TextDelta):
                lead = "\n\n" if self._parted and self._said else ""
                self._parted, self._said = False, True
                self._take(TextDelta(lead + event.text))
            elif isinstance(event, ToolBegan):
                self._parted = True
                if not self._native:
                    self._take(ReasoningDelta(f"[{event.name}]\n"))
            elif isinstance(event, ReasoningDelta):
                self._parted = True
                self._take(event)
            elif isinstance(event, RanTool | AskedLeave) and self._native:
                self._take(event)
        self._news.set()

    def _take(self, event: Event) -> None:
        self._all.append(event)
        self.waiting.append(event)

    def take(self) -> list[Event]:
        """What was not taken yet."""
        taken, self.waiting = self.waiting, []
        self._news.clear()
        return taken

    def parts(self) -> tuple[Part | RanTool | AskedLeave, ...]:
        """All of it as a reply; where the wire has no form for calls, thinking first and then the text."""
        if not self._native:
            thought = "".join(e.text for e in self._all if isinstance(e, ReasoningDelta))
            text = TextPart(self.text)
            return (ReasoningPart(thought), text) if thought else (text,)
        found: list[Part | RanTool | AskedLeave] = []
        for event in self._all:
            last = found[-1] if found else None
            if isinstance(event, TextDelta):
                found[len(found) - isinstance(last, TextPart) :] = [
                    TextPart((last.text if isinstance(last, TextPart) else "") + event.text)
                ]
            elif isinstance(event, ReasoningDelta):
                found[len(found) - isinstance(last, ReasoningPart) :] = [
                    ReasoningPart((last.text if isinstance(last, ReasoningPart) else "") + event.text)
                ]
            elif isinstance(event, RanTool | AskedLeave):
                found.append(event)
        return tuple(found) or (TextPart(""),)

    async def news(self, live: Live) -> bool:
        """Returns at news, the run's end, or after ten seconds of silence (False)."""
        tasks = [asyncio.ensure_future(self._news.wait()), asyncio.ensure_future(live.over())]
        done, rest = await asyncio.wait(tasks, timeout=_SILENCE_S, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        return bool(done)
