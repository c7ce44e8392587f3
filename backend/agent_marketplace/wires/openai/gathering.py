"""A whole stream of chunks as the answers that were asked for: each choice is one."""

from agent_marketplace.wires.base import Done, Event, FailureClass, Reply, UpstreamFailure
from agent_marketplace.wires.openai.provider_side import read_choice, read_event
from agent_marketplace.wires.shared.called import Calls
from agent_marketplace.wires.shared.gathering import made_of
from agent_marketplace.wires.sse import SSEParser

_MOST = 128
"""Choices of one answer: OpenAI's own bound of `n`."""


def choices(body: bytes) -> dict[int, Reply]:
    """The answers by their number, 0 first. Raises UpstreamFailure for an error, for one that was cut short, for too many."""
    parser = SSEParser()
    events: dict[int, list[Event]] = {0: []}
    calls = {0: Calls()}
    for item in (*parser.feed(body), *parser.close()):
        chunk = read_event(item, events[0], calls[0])
        for choice in (chunk.choices if chunk is not None else None) or ():
            if not (at := choice.index or 0):
                continue  # read already
            if at not in events and len(events) >= _MOST:
                raise UpstreamFailure(
                    FailureClass.SERVER, f"The provider's answer holds over {_MOST} choices"
                )
            read_choice(choice, events.setdefault(at, []), calls.setdefault(at, Calls()))
    done = [event for event in events[0] if isinstance(event, Done)]
    return {at: made_of((*found, *calls[at].closed(), *done)) for at, found in events.items()}
