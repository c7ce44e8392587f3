"""What became of a caller's fields on the way to a provider: one note a field, from wherever it was noticed to the receipt."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

HEADER = "x-marketplace-notes"
"""Names of the fields that an answer's receipt has notes about, for clients that look at headers only."""

LENGTH_HEADER = "x-marketplace-max-tokens"
"""Output tokens that an answer was limited to because the balance does not cover what was asked for."""

MOST = 64
_LONGEST_FIELD = 120
_HEADER_BYTES = 1024
_UNSPEAKABLE = re.compile(r"[^A-Za-z0-9_.\[\]:+-]")

Act = Literal["left_out", "renamed", "moved", "reencoded", "lowered"]


class Note(msgspec.Struct, frozen=True):
    """One field that did not reach the provider as it was written.

    field: its path in the caller's body (`messages[2].name`).
    act: what was done with it.
    reason: why, in words for the caller; never a value of theirs.
    """

    field: str
    act: Act
    reason: str = ""


def left_out(fields: Iterable[str], reason: str) -> tuple[Note, ...]:
    """A note for each of the fields."""
    return tuple(Note(field, "left_out", reason) for field in fields)


def bounded(notes: Iterable[Note]) -> tuple[Note, ...]:
    """At most `MOST` notes, one a field and act, with names that are fit to be stored and shown: names of fields are the
    caller's own text, of any length."""
    shown: dict[tuple[str, Act], Note] = {}
    for note in notes:
        name = _name(note.field)
        shown.setdefault((name, note.act), Note(name, note.act, note.reason))
    return tuple(shown.values())[:MOST]


def header(notes: Sequence[Note]) -> str:
    """The names, separated by commas, as a header's value; as many as fit."""
    value = ", ".join(dict.fromkeys(note.field for note in notes))
    if len(value) > _HEADER_BYTES:
        value = value[:_HEADER_BYTES].rpartition(", ")[0]
    return value


def _name(field: str) -> str:
    short = field if len(field) <= _LONGEST_FIELD else field[:_LONGEST_FIELD]
    return _UNSPEAKABLE.sub("?", short.replace(": ", ":"))
