"""A secret in memory: masks itself wherever it could be printed, logged, pickled or compared by accident."""

import hmac
from typing import NoReturn


class Secret:
    """Holds one secret text. `reveal()` is called only where a header is built."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The plain text."""
        return self._text

    @property
    def masked(self) -> str:
        """What a person may see: the last four characters of a secret of at least 16, else none."""
        return "…" + self._text[-4:] if len(self._text) >= 16 else "…"

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash of the text would leak into dict and set orders

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a Secret can't be pickled or copied")
