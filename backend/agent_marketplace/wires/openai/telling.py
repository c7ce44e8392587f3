"""A provider's choices on their way to a client of the same wire, told truly: an answer with calls ends with them, every call
has an id, thinking stands under both of its names. What is right already is not touched."""

from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.wires.shared.called import told_id

_Fields = dict[str, msgspec.Raw]
_STOPS = (b'"stop"', b'"eos"', b'"end_turn"', b'"stop_sequence"')
_READ = (b'"tool_calls"', b'"reasoning"', b'"reasoning_content"')
"""Where none of these stands, nothing is to be told otherwise; `reasoning_tokens`, in every usage, is none."""
_TWINS = (("reasoning_content", "reasoning"), ("reasoning", "reasoning_content"))


class Choices:
    """Of one answer. seed: its id."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._called: dict[Any, set[Any]] = {}

    @property
    def called(self) -> bool:
        """Whether a tool was called."""
        return bool(self._called)

    def told(self, body: bytes) -> bytes:
        """A chunk or a whole reply with its choices as they are to be read. Raises msgspec.DecodeError for what is no object."""
        if not self._called and not any(name in body for name in _READ):
            return body
        fields = msgspec.json.decode(body, type=_Fields)
        choices = msgspec.json.decode(fields.get("choices", b"[]"), type=list[_Fields])
        told = [self._choice(choice) for choice in choices]
        return body if told == choices else json.encode({**fields, "choices": told})

    def _choice(self, choice: _Fields) -> _Fields:
        out: dict[str, Any] = dict(choice)
        at = bytes(choice.get("index", b"0"))
        for name in ("delta", "message"):
            if name in choice and bytes(choice[name]) != b"null":
                said = msgspec.json.decode(choice[name], type=_Fields)
                told = self._said(said, at)
                if told != said:
                    out[name] = told
        if at in self._called and bytes(choice.get("finish_reason", b"null")).lower() in _STOPS:
            out["finish_reason"] = "tool_calls"
        return out

    def _said(self, said: _Fields, at: bytes) -> Mapping[str, Any]:
        out: dict[str, Any] = dict(said)
        for name, twin in _TWINS:
            if name in said and twin not in said and bytes(said[name])[:1] == b'"':
                out[twin] = said[name]
        calls = msgspec.json.decode(said.get("tool_calls", b"null"))
        if isinstance(calls, list) and calls:
            known = self._called.setdefault(at, set())
            told = [self._call(call, n, at, known) for n, call in enumerate(calls) if isinstance(call, dict)]
            if told != calls:
                out["tool_calls"] = told
        return out

    def _call(self, call: dict[str, Any], number: int, at: bytes, known: set[Any]) -> dict[str, Any]:
        """The first piece of a call has its id; the others need none."""
        place = call.get("index", number)
        function = call.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        if not call.get("id") and (place in known or not name):
            return call
        known.add(place)
        name = name if isinstance(name, str) else ""
        made = told_id(
            call.get("id"), name, place if isinstance(place, int) else number, f"{self._seed} {at.decode()}"
        )
        return call if made == call.get("id") else {**call, "id": made}
