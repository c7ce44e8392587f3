"""A provider's choices on their way to a client of the same wire, told truly: an answer with calls ends with them, every call
has an id, a number and its name once, arguments are text, content too (Mistral's is a list of parts where it thinks), thinking
stands under both of its names. What is right already is not touched."""

from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.wires.base import Finish, ToolCallDelta
from agent_marketplace.wires.openai.chunk import Chunk, arguments_text, finish_of, texts
from agent_marketplace.wires.shared.called import Calls, told_id

_Fields = dict[str, msgspec.Raw]
_ENDS = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
"""Every reason that OpenAI's own types know; strict clients break at another."""
_LIST, _LOOSE_LIST = b'"content":[', b'"content": ['
_TWINS = (("reasoning_content", "reasoning"), ("reasoning", "reasoning_content"))


class Choices:
    """Of one answer. seed: its id."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._called: dict[bytes, Calls] = {}

    @property
    def called(self) -> bool:
        """Whether a tool was called."""
        return bool(self._called)

    def rest(self, at: bytes = b"0") -> list[ToolCallDelta]:
        """What was kept back of a choice's calls, once: it is over. at: its place."""
        known = self._called.get(at)
        return known.closed() if known is not None else []

    def told(self, body: bytes, chunk: Chunk | None) -> bytes:
        """A chunk or a whole reply with its choices as they are to be read. chunk: what was read of it, None = nothing yet.
        Raises msgspec.DecodeError for what is no object."""
        # `reasoning_tokens` stands in every usage, and is nothing to be told otherwise.
        thinks = b'"reasoning' in body and (b'"reasoning"' in body or b'"reasoning_content"' in body)
        calls = self._called or b'"tool_calls"' in body
        odd = chunk is None or _odd(chunk)
        if not odd and not thinks and not calls and _LIST not in body and _LOOSE_LIST not in body:
            return body
        fields = msgspec.json.decode(body, type=_Fields)
        choices = msgspec.json.decode(fields.get("choices", b"[]"), type=list[_Fields])
        whole = chunk is None
        told = [self._choice(choice, n, whole=whole) for n, choice in enumerate(choices)]
        return body if told == choices else json.encode({**fields, "choices": told})

    def _choice(self, choice: _Fields, number: int, *, whole: bool) -> _Fields:
        if not whole and "delta" not in choice and "message" in choice:
            choice = {("delta" if k == "message" else k): v for k, v in choice.items()}
        out: dict[str, Any] = dict(choice)
        if bytes(choice.get("index", b"null")) == b"null":
            out["index"] = number
        at = bytes(choice.get("index", b"0"))
        for name in ("delta", "message"):
            if name in choice and bytes(choice[name]) != b"null":
                said = msgspec.json.decode(choice[name], type=_Fields)
                told = self._said(said, at, whole=name == "message")
                if told != said:
                    out[name] = told
        if "finish_reason" in choice:
            given = msgspec.json.decode(choice["finish_reason"])
            if given and not whole and (rest := self.rest(at)):
                said = msgspec.json.decode(json.encode(out.get("delta"))) or {}
                made = [{"index": c.index, "function": {"arguments": c.arguments}} for c in rest]
                out["delta"] = {**said, "tool_calls": [*(said.get("tool_calls") or ()), *made]}
            if (end := self._end(given, at, whole=whole)) != given:
                out["finish_reason"] = end
        return out

    def _end(self, given: Any, at: bytes, *, whole: bool) -> str | None:
        """Why the answer ended, in OpenAI's words; None in a stream that goes on or breaks off (the error follows)."""
        if not isinstance(given, str) or not given:
            return Finish.STOP if whole else None
        end = given if given in _ENDS else finish_of(given).value
        if end == Finish.STOP and at in self._called:
            return Finish.TOOL_CALLS
        return end if end in _ENDS else None

    def _said(self, said: _Fields, at: bytes, *, whole: bool) -> Mapping[str, Any]:
        out: dict[str, Any] = dict(said)
        if bytes(said.get("content", b""))[:1] == b"[":
            text, thinking = texts(msgspec.json.decode(said["content"]))
            out |= {"content": text} | ({"reasoning_content": thinking} if thinking else {})
        for name, twin in _TWINS:
            if (
                name in out
                and twin not in said
                and (isinstance(out[name], str) or bytes(out[name])[:1] == b'"')
            ):
                out[twin] = out[name]
        calls = msgspec.json.decode(said.get("tool_calls", b"null"))
        if isinstance(calls, list) and calls:
            known = self._called.setdefault(at, Calls())
            given = [call for call in calls if isinstance(call, dict)]
            told = [self._call(call, n if whole else None, at, known) for n, call in enumerate(given)]
            if told != calls:
                out["tool_calls"] = [call for call in told if call]
                if not out["tool_calls"]:
                    del out["tool_calls"]
        return out

    def _call(self, call: dict[str, Any], number: int | None, at: bytes, known: Calls) -> dict[str, Any]:
        """number: of a call in a whole answer; None for a piece of one in a stream, whose number `known` says. Nothing where a
        piece says nothing yet."""
        function = call.get("function")
        if not isinstance(function, dict):
            return self._custom(call, number, known)
        place, name, given = call.get("index"), function.get("name"), call.get("id")
        arguments = arguments_text(function.get("arguments"))
        if number is not None:
            made = self._id(given, name, number, at)
            return {
                **call,
                "id": made,
                "type": "function",
                "function": {**function, "arguments": arguments or "{}"},
            }
        piece = known.piece(place if isinstance(place, int) else None, _text(given), _text(name), arguments)
        rest = {k: v for k, v in call.items() if k not in ("index", "id", "type", "function")}
        if piece is None:
            here = known.number(place) if isinstance(place, int) else None
            if rest and here is not None:  # a signature by itself
                return {"index": here, "function": {"arguments": ""}, **rest}
            return call if isinstance(place, int) and not name and not given and not arguments else {}
        begun: dict[str, Any] = {"index": piece.index}
        if piece.name:
            begun |= {"id": self._id(piece.id, piece.name, piece.index, at), "type": "function"}
        told = {**function, "name": piece.name, "arguments": piece.arguments}
        if not piece.name:
            del told["name"]
        return {**begun, "function": told, **rest}

    def _custom(self, call: dict[str, Any], number: int | None, known: Calls) -> dict[str, Any]:
        """A freeform tool's call. In a stream it is counted with the others, whose numbers would be its own otherwise."""
        if number is not None:
            return call if call.get("id") else {**call, "id": self._id(None, "", number, b"")}
        place, custom = call.get("index"), call.get("custom")
        if not isinstance(place, int) or not isinstance(custom, dict):
            return call
        known.piece(place, _text(call.get("id")), _text(custom.get("name")), "")
        here = known.number(place)
        return call if here is None else {**call, "index": here}

    def _id(self, given: Any, name: Any, number: int, at: bytes) -> str:
        return told_id(_text(given), _text(name), number, f"{self._seed} {at.decode()}")


def _odd(chunk: Chunk) -> bool:
    """Whether a choice lacks its place or its delta, or ends in other words than OpenAI's."""
    return any(
        c.index is None or c.delta is None or (c.finish_reason is not None and c.finish_reason not in _ENDS)
        for c in chunk.choices or ()
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
