"""The wire of a blind answer: the text and how it ended; nothing by which one would know whose it is before the vote."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.gateway.agent_wire import AgentEncoder, AgentMouth
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import Event, Finish, ReasoningDelta, Shape

FAILED = "This answer failed; why is told after the vote"


class BlindMouth(AgentMouth):
    """As `AgentMouth`, for streams. start: ids of the comparison, its side and run: all that is told beside the text."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        super().__init__(start)
        self._told = dict(start)

    def encoder(self, shape: Shape) -> AgentEncoder:
        return _BlindEncoder(shape, self._told)


class _BlindEncoder(AgentEncoder):
    """Not every model shows its thinking, so none does here; costs, times and tokens come with the names."""

    def __init__(self, shape: Shape, told: Mapping[str, Any]) -> None:
        super().__init__(shape, told)
        self._told = dict(told)

    def start(self) -> bytes:
        return self._event("start", self._told)

    def feed(self, events: Sequence[Event]) -> bytes:
        return super().feed([event for event in events if not isinstance(event, ReasoningDelta)])

    def end(self, finish: Finish, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:  # noqa: ARG002  the wire's signature
        stopped = extra.get("finish_reason") == "stopped"
        reason = "stopped" if stopped else str(finish)
        told = {"success": True, "result": "".join(self._text), "finish_reason": reason}
        return self._event("done", told | self._told)

    def error(self, error: MarketplaceError, request_id: str) -> bytes:  # noqa: ARG002  the wire's signature
        told = {"success": False, "error": FAILED, "code": "answer_failed", "partial": bool(self._text)}
        return self._event("error", told | self._told)

    def fallback(self, moved: Mapping[str, str]) -> bytes:  # noqa: ARG002  the wire's signature
        return b""
