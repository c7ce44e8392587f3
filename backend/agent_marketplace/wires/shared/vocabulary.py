"""What a wire's request may hold, said once: for a quick look whether a body holds anything else, and for cutting that out.

A vocabulary is an allow-list at every depth. Only what it names is understood by the codecs and bounded by the sizing; what it
does not name is never sent where the operator pays. `FREE` is the caller's own content (schemas, arguments), of any shape.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Union

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import BadRequest
from agent_marketplace.wires.base import FailureClass, UpstreamFailure
from agent_marketplace.wires.shared.fields import ROUTING_FIELDS, raw_fields

_UNFIT: Any = object()
_MOST = 256
_CASE = re.compile(r"_([a-z0-9])")


def camel(name: str) -> str:
    """`max_output_tokens` as `maxOutputTokens`: Google's JSON mapping reads both as one field."""
    return _CASE.sub(lambda m: m[1].upper(), name) if "_" in name else name


class Found:
    """What a body holds that is not in the vocabulary. unread: places of fields and values that are not understood.

    strange: those of them that are the caller's content, of a kind that is not known: without it the answer is another one.
    """

    def __init__(self) -> None:
        self.unread: list[str] = []
        self.strange: list[str] = []

    def note(self, place: str) -> None:
        """A field that can be left out."""
        if len(self.unread) < _MOST:
            self.unread.append(place)

    def lost(self, place: str) -> None:
        """An item of a list, whole."""
        self.note(place)
        self.strange.append(place)


class Kind:
    """One kind of value; null is of every kind. type: the same for msgspec, which refuses what does not fit."""

    def __init__(self, kind: Any) -> None:
        self.type: Any = kind

    def takes(self, value: Any) -> bool:
        """Whether a value is of the kind, whole."""
        found = Found()
        return self.cut(value, "", found) is not _UNFIT and not found.unread

    def cut(self, value: Any, where: str, found: Found) -> Any:
        """The value without what is not of the kind, `_UNFIT` if nothing is left; adds the places of what was cut to `found`."""
        raise NotImplementedError


class _Scalar(Kind):
    def cut(self, value: Any, where: str, found: Found) -> Any:  # noqa: ARG002 (a place of its own has its owner)
        if value is None:
            return None
        try:
            return msgspec.convert(value, self.type)
        except msgspec.ValidationError:
            return _UNFIT


class _Free(Kind):
    def cut(self, value: Any, where: str, found: Found) -> Any:  # noqa: ARG002 (nothing is foreign here)
        return value


TEXT = _Scalar(str)
WHOLE = _Scalar(int)
NUMBER = _Scalar(int | float)
FLAG = _Scalar(bool)
NOTHING = _Scalar(None)
"""What clients write although they mean nothing by it: null."""
FREE = _Free(msgspec.Raw)


def one_of(*words: str) -> Kind:
    """One of these texts."""
    return _Scalar(Literal[words])


def matching(pattern: str) -> Kind:
    """A text that the pattern matches whole."""
    return _Scalar(Annotated[str, msgspec.Meta(pattern=rf"^(?:{pattern})$")])


class _Many(Kind):
    def __init__(self, item: Kind) -> None:
        super().__init__(list[item.type])  # type: ignore[name-defined]  # a type that is made here
        self._item = item

    def cut(self, value: Any, where: str, found: Found) -> Any:
        if not isinstance(value, list):
            return None if value is None else _UNFIT
        out = []
        for i, item in enumerate(value):
            fit = self._item.cut(item, f"{where}[{i}]", found)
            if fit is _UNFIT:
                found.lost(f"{where}[{i}]")
            else:
                out.append(fit)
        return out


class _ByName(Kind):
    def __init__(self, inner: Kind) -> None:
        super().__init__(dict[str, inner.type])  # type: ignore[name-defined]  # a type that is made here
        self._inner = inner

    def cut(self, value: Any, where: str, found: Found) -> Any:
        if not isinstance(value, dict):
            return None if value is None else _UNFIT
        fits = {k: self._inner.cut(v, f"{where}.{k}", found) for k, v in value.items()}
        for name, fit in fits.items():
            if fit is _UNFIT:
                found.note(f"{where}.{name}")
        return {k: v for k, v in fits.items() if v is not _UNFIT}


class Record(Kind):
    """An object with these fields, none of them required. tag: its `type`. google: either spelling of a name is the field.

    says: without any of these it says nothing, so what was cut out of it was all.
    """

    def __init__(
        self,
        fields: Mapping[str, Kind],
        *,
        tag: str | None = None,
        google: bool = False,
        says: frozenset[str] = frozenset(),
    ) -> None:
        named = [
            (
                name,
                Union[kind.type, *(() if kind is FREE else (None,)), msgspec.UnsetType],
                msgspec.UNSET,
            )
            for name, kind in fields.items()
        ]
        self.type = (
            msgspec.defstruct("Known", named, forbid_unknown_fields=True, gc=False)
            if tag is None
            else msgspec.defstruct(
                "Known", named, forbid_unknown_fields=True, gc=False, tag_field="type", tag=tag
            )
        )
        self.fields = {**fields, **({} if tag is None else {"type": TEXT})}
        self.tag = tag
        self._google = google
        self._says = says

    def cut(self, value: Any, where: str, found: Found) -> Any:
        if not isinstance(value, dict):
            return None if value is None else _UNFIT
        out: dict[str, Any] = {}
        seen: set[str] = set()
        for key, inner in value.items():
            name = camel(key) if self._google else key
            place = f"{where}.{key}" if where else key
            kind = self.fields.get(name)
            if name in seen:
                raise BadRequest(f"{place}: is given twice, in both spellings")
            seen.add(name)
            fit = _UNFIT if kind is None else kind.cut(inner, place, found)
            if fit is _UNFIT and name == "type":
                return _UNFIT  # another thing altogether
            if fit is _UNFIT:
                found.note(place)
            else:
                out[key] = fit
        return out if not self._says or self._says & {camel(k) for k in out} else _UNFIT


class _Either(Kind):
    """Whichever fits; records of a union are told apart by their tags."""

    def __init__(self, kinds: tuple[Kind, ...]) -> None:
        together = kinds[0].type
        for kind in kinds[1:]:
            together = together | kind.type
        super().__init__(together)
        self._tagged = {kind.tag: kind for kind in kinds if isinstance(kind, Record) and kind.tag is not None}
        self._others = tuple(k for k in kinds if not (isinstance(k, Record) and k.tag is not None))

    def cut(self, value: Any, where: str, found: Found) -> Any:
        if isinstance(value, dict) and self._tagged:
            tag = value.get("type")
            known = self._tagged.get(tag) if isinstance(tag, str) else None
            if known is not None:
                return known.cut(value, where, found)
            found.strange.append(where)
            return _UNFIT
        for kind in self._others:
            if (fit := kind.cut(value, where, found)) is not _UNFIT:
                return fit
        return _UNFIT


def many(item: Kind) -> Kind:
    """A list of these."""
    return _Many(item)


def by_name(inner: Kind) -> Kind:
    """An object with names of the caller's."""
    return _ByName(inner)


def record(tag: str | None = None, /, **fields: Kind) -> Record:
    """An object with these fields."""
    return Record(fields, tag=tag)


def google(says: str = "", /, **fields: Kind) -> Record:
    """As `record`, in Google's JSON mapping. says: names, separated by blanks."""
    return Record(fields, google=True, says=frozenset(says.split()))


def either(*kinds: Kind) -> Kind:
    """Whichever of these fits."""
    return _Either(kinds)


class Vocabulary:
    """Everything that a request on one wire may hold.

    named: the fields that the codec reads. options: the others, by name; which of them a provider takes is its own row's to
    say (`providers.table`). content: where the caller's own content stands, as the beginning of a place.
    """

    def __init__(
        self,
        named: Mapping[str, Kind],
        options: Mapping[str, Kind] = {},
        *,
        google: bool = False,
        content: str = "messages",
    ) -> None:
        ours = dict.fromkeys(ROUTING_FIELDS, FREE)
        self.named = frozenset(named)
        self.options = frozenset(options)
        self._body = Record({**ours, **named, **options}, google=google)
        self._spelt: Callable[[str], str] = camel if google else str
        self._content = re.compile(content)
        self._quick = msgspec.json.Decoder(self._body.type)
        self._any = msgspec.json.Decoder()

    def found(self, body: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(unread, strange) places in a client's body (valid JSON), as in `Call`; at most 256 each.

        Raises BadRequest where a field is given in two spellings.
        """
        try:
            self._quick.decode(body)
        except msgspec.ValidationError:
            found = Found()
            self._body.cut(self._any.decode(body), "", found)
            return tuple(found.unread), tuple(p for p in found.strange if self._content.match(p))[:_MOST]
        return (), ()

    def fits(self, name: str, value: Any) -> bool:
        """Whether the vocabulary holds the field with that value, whole."""
        found = Found()
        kind: Kind | None = self._body.fields.get(self._spelt(name))
        return kind is not None and kind.cut(value, name, found) is not _UNFIT and not found.unread

    def closed(
        self, body: bytes, options: frozenset[str], *, deep: bool, off: frozenset[str] = frozenset()
    ) -> tuple[bytes, tuple[str, ...]]:
        """A provider's request without what is not understood, and the places of what was cut.

        options: those that this provider takes on the operator's key. deep: the call holds more than its vocabulary, so look
        inside. off: what is always said to be off. Raises UpstreamFailure(UNSUPPORTED) where content would be lost.
        """
        found = Found()
        out: dict[str, Any] = {}
        given = raw_fields(body)
        for name, raw in given.items():
            spelt = self._spelt(name)
            if spelt in off:
                if bytes(raw) not in (b"false", b"null"):
                    found.note(name)
            elif spelt not in self.named and spelt not in options:
                found.note(name)
            elif deep:
                self._inside(name, raw, found, out)
            else:
                out[name] = raw
        if out.get("tools") == []:
            out = {
                k: v for k, v in out.items() if self._spelt(k) not in ("tools", "tool_choice", "toolConfig")
            }
        lost = next((place for place in found.strange if self._content.match(place)), None)
        if lost is not None:
            raise UpstreamFailure(FailureClass.UNSUPPORTED, f"{lost}: content of this kind is not sent here")
        if not found.unread and not off:
            return body, ()
        return json.encode(out | dict.fromkeys(off, False)), tuple(found.unread)

    def _inside(self, name: str, raw: msgspec.Raw, found: Found, out: dict[str, Any]) -> None:
        before = len(found.unread)
        value = self._body.fields[self._spelt(name)].cut(self._any.decode(raw), name, found)
        if value is _UNFIT:
            found.note(name)
        else:
            out[name] = value if len(found.unread) > before else raw
