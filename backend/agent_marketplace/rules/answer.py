"""PURE: the way back. What a provider's answer says of its calls, as the client is to read it: ids that no other answer gives
out, the client's own names of tools, and an end that fits what was said."""

from collections.abc import Mapping

import msgspec

from agent_marketplace.wires.base import (
    AskedLeave,
    Event,
    Finish,
    Part,
    RanTool,
    Reply,
    ToolCallDelta,
    ToolCallPart,
)
from agent_marketplace.wires.shared.called import told_id


class Back:
    """One answer's. seed: its id. names: {sent: the client's} of the tools that `fit` renamed."""

    def __init__(self, seed: str, names: Mapping[str, str] | None = None) -> None:
        self._seed = seed
        self.names = names or {}
        self._calls = False

    def events(self, events: list[Event]) -> list[Event]:
        """Events of a stream, in their order."""
        if not any(isinstance(e, ToolCallDelta) for e in events):
            return events
        return [self._event(e) if isinstance(e, ToolCallDelta) else e for e in events]

    def _event(self, event: ToolCallDelta) -> ToolCallDelta:
        self._calls = True
        if not event.name:
            return event
        made = told_id(event.id, event.name, event.index, self._seed)
        return msgspec.structs.replace(event, id=made, name=self.names.get(event.name, event.name))

    def finish(self, finish: Finish) -> Finish:
        """An answer with calls ends with them, and one without does not, whatever its provider calls that."""
        return _fitting(finish, calls=self._calls)

    def reply(self, reply: Reply) -> Reply:
        """A whole answer."""
        calls = any(isinstance(p, ToolCallPart) for p in reply.parts)
        finish = reply.finish and _fitting(reply.finish, calls=calls)
        if not calls:
            return reply if finish is reply.finish else msgspec.structs.replace(reply, finish=finish)
        parts = tuple(self._part(p, n) for n, p in enumerate(reply.parts))
        return msgspec.structs.replace(reply, parts=parts, finish=finish)

    def _part(self, part: Part | RanTool | AskedLeave, number: int) -> Part | RanTool | AskedLeave:
        if not isinstance(part, ToolCallPart):
            return part
        made = told_id(part.id, part.name, number, self._seed)
        return msgspec.structs.replace(part, id=made, name=self.names.get(part.name, part.name))


def _fitting(finish: Finish, *, calls: bool) -> Finish:
    if calls and finish is Finish.STOP:
        return Finish.TOOL_CALLS
    return Finish.STOP if finish is Finish.TOOL_CALLS and not calls else finish
