"""PURE: a call's arguments of servers that send in each piece all that has been written, or the whole once more at the end.

A piece that begins with all that came before is either said again, or an object inside the object. JSON tells the two apart: one
of them stops being the beginning of a JSON text, or is whole where the other is not. Until then nothing more is said.
"""

import re
from typing import Self

_PLAIN = re.compile(r'[^"\\]*')
_LITERALS = ("true", "false", "null")
_NUMBER = frozenset("0123456789.eE+-")


class Scan:
    """Whether a text can still become one JSON value. What is only nearly JSON may pass; what is JSON does."""

    def __init__(self) -> None:
        self.alive = True
        self._open: list[str] = []
        self._wants = "value"
        self._quoted = self._escaped = False
        self._word = ""

    @property
    def whole(self) -> bool:
        """Whether the value is complete."""
        return self.alive and self._wants == "end"

    def feed(self, text: str) -> Self:
        """Reads on. Time is linear in the text."""
        at = 0
        while self.alive and at < len(text):
            if self._escaped:
                self._escaped, at = False, at + 1
            elif self._quoted:
                at = self._in_quotes(text, at)
            else:
                self._outside(text[at])
                at += 1
        return self

    def _in_quotes(self, text: str, at: int) -> int:
        found = _PLAIN.match(text, at)
        at = found.end() if found else at
        if at < len(text):
            self._escaped = text[at] == "\\"
            if not self._escaped:
                self._quoted = False
                self._wants = ":" if self._wants.startswith("key") else self._after()
        return at + 1

    def _outside(self, letter: str) -> None:
        if self._in_word(letter):
            return
        wants, inside = self._wants, self._open[-1] if self._open else ""
        if letter.isspace():
            return
        if letter == '"' and wants[:3] in ("val", "key"):
            self._quoted = True
        elif letter in "{[" and wants.startswith("value"):
            self._open.append(letter)
            self._wants = "key or }" if letter == "{" else "value or ]"
        elif letter in "}]" and inside == {"}": "{", "]": "["}[letter] and (wants == "," or letter in wants):
            self._open.pop()
            self._wants = self._after()
        elif letter == wants == ":":
            self._wants = "value"
        elif letter == wants == ",":
            self._wants = "key" if inside == "{" else "value"
        elif wants.startswith("value") and (letter in "-0123456789tfn"):
            self._word = letter
        else:
            self.alive = False

    def _in_word(self, letter: str) -> bool:
        """Whether a letter belongs to the number or literal that is begun; another ends it."""
        word = self._word
        if not word:
            return False
        literal = word[0] in "tfn"
        if (literal and any(name.startswith(word + letter) for name in _LITERALS)) or (
            not literal and letter in _NUMBER
        ):
            self._word += letter
            return True
        self._word, self._wants = "", self._after()
        self.alive = not literal or word in _LITERALS
        return not self.alive

    def _after(self) -> str:
        return "," if self._open else "end"


class _Way:
    """How the arguments go on, if a piece meant one thing. again: that it was said again."""

    def __init__(self, before: str, scan: Scan, piece: str, *, again: bool) -> None:
        self._pieces = [before]
        self._length = len(before)
        self._begun = len(before)
        self._again = again
        self.scan = scan
        self._take(piece)

    @property
    def rest(self) -> str:
        """What is not told yet."""
        return "".join(self._pieces)[self._begun :]

    def add(self, piece: str) -> None:
        """Another piece."""
        if (self._again or self.scan.whole) and len(piece) >= self._length:
            self._pieces = ["".join(self._pieces)]
            if piece.startswith(self._pieces[0]):
                piece = piece[self._length :]
        self._take(piece)

    def _take(self, piece: str) -> None:
        self._pieces.append(piece)
        self._length += len(piece)
        self.scan.feed(piece)


class Written:
    """A call's arguments so far."""

    def __init__(self, begun: str) -> None:
        self._pieces = [begun]
        self._length = len(begun)
        self._repeats = False
        self._ways: tuple[_Way, _Way] | None = None

    def rest(self, piece: str) -> str:
        """What a piece adds to what is to be told. Time is linear in what was sent."""
        if self._ways is not None:
            for way in self._ways if piece else ():
                way.add(piece)
            return self._decided(self._ways)
        if not self._length or len(piece) < self._length or piece[0] != "{":
            return self._told(piece)
        before = "".join(self._pieces)
        self._pieces = [before]
        if not piece.startswith(before):
            return self._told(piece)
        if self._repeats:
            return self._told(piece[self._length :])
        again = _Way(before, Scan().feed(before), piece[self._length :], again=True)
        return self._decided((again, _Way(before, Scan().feed(before), piece, again=False)))

    def end(self) -> str:
        """What is still to be told once the call is over."""
        if self._ways is None:
            return ""
        again, on = self._ways
        self._ways = None
        return self._told(again.rest if again.scan.whole else on.rest)

    def _decided(self, ways: tuple[_Way, _Way]) -> str:
        again, on = ways
        if again.scan.alive and on.scan.alive:
            self._ways = ways
            return ""
        self._ways = None
        self._repeats = again.scan.alive
        return self._told(on.rest if on.scan.alive else again.rest)

    def _told(self, piece: str) -> str:
        self._pieces.append(piece)
        self._length += len(piece)
        return piece
