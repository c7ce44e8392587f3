"""Which call a tool's result belongs to, on wires whose results may name the tool only (Ollama, Gemini)."""

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class _Open:
    id: str
    name: str
    ours: bool
    answered: bool = False


class Waiting:
    """Calls of a history that wait for their results. Each step takes constant time on average."""

    def __init__(self) -> None:
        self._count = 0
        self._all: deque[_Open] = deque()
        self._by_name: dict[str, deque[_Open]] = {}
        self._by_id: dict[str, deque[_Open]] = {}

    def made(self, name: str, given: str) -> str:
        """The id of the next call: the client's, or one of ours where it gave none."""
        self._count += 1
        call = _Open(given or f"call_{self._count}_{name}", name, ours=not given)
        self._all.append(call)
        self._by_name.setdefault(name, deque()).append(call)
        self._by_id.setdefault(call.id, deque()).append(call)
        return call.id

    def answered(self, name: str, given: str) -> tuple[str, str]:
        """(id, name) of the call that a result belongs to: the one of its id; without one, or with one that no call has where
        calls have none, the oldest open call of its name; without either the oldest of all."""
        call = _first(self._by_id.get(given)) if given else None
        if call is None and not (given and given in self._by_id):
            call = _first(self._by_name.get(name) if name else self._all)
            if given and call is not None and not call.ours:
                call = None
        if call is None:
            return given or f"call_0_{name or 'tool'}", name
        call.answered = True
        return call.id, name or call.name


def _first(line: deque[_Open] | None) -> _Open | None:
    while line and line[0].answered:
        line.popleft()
    return line[0] if line else None
