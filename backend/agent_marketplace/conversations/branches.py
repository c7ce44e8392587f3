"""PURE: one way through a conversation's tree, and how much of it a model reads."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from agent_marketplace.errors import BadRequest, NotFound


class Room(NamedTuple):
    """How many tokens of history a model can take at most, and what counts those of a text."""

    tokens: int
    count: Callable[[str], int]


def too_long(messages: int) -> BadRequest:
    return BadRequest(
        f"The conversation has {messages} messages, more than this model reads: begin a new one, go on from an earlier message, or "
        "choose a model with a longer context",
        code="context_length_exceeded",
    )


class _Node(Protocol):
    """What a tree is made of: messages, or their skeletons."""

    @property
    def message_id(self) -> str: ...

    @property
    def parent_id(self) -> str | None: ...


N = TypeVar("N", bound=_Node)


def branch(tree: Sequence[N], leaf_id: str | None) -> list[N]:
    """From the root to the leaf; None: to the newest message. Raises NotFound."""
    by_id = {message.message_id: message for message in tree}
    if leaf_id is not None and leaf_id not in by_id:
        raise NotFound("No such message")
    at = by_id[leaf_id] if leaf_id is not None else (tree[-1] if tree else None)
    path: list[N] = []
    while at is not None:
        path.append(at)
        at = by_id.get(at.parent_id) if at.parent_id else None
    return path[::-1]
