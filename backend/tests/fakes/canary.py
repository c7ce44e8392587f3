"""S10 over the whole suite: what the fakes send as credentials and texts never shows in logs, databases, metrics, spans or errors.

Every test's database and log are searched when the test ends, and what the product says to a test is searched as it comes.
`integration/test_canary.py` does the same with secrets of its own, so that a fault of this search can't hide there as well.
"""

import logging
import re

from agent_marketplace.logs import JsonLines

SECRETS = re.compile(
    rb"correct horse, not the comic"  # the password of rig, home, served and server
    rb"|sk-operator-[0-9a-z-]{10,}|sk-ant-operator-\d{10}|AIza-operator-google-\d{10}"  # the operator's keys
    rb"|sk-my-very-own-key-\d{10}"  # a user's own key at a provider
    rb"|sk-aam-[0-9A-Za-z]{38}\b|\beyJ[\w-]{16,}\.eyJ[\w-]{16,}\.[\w-]{16,}"  # any marketplace key, any session token
)
TEXTS = re.compile(
    rb"Say something\.|Hello from the fake upstream"
)  # what rig asks, and what the fake provider answers

# Plain parts, one of which is in each match above: to look round them only is five times as fast on a database.
_HINTS = (
    b"correct horse",
    b"-operator-",
    b"sk-my-very-own",
    b"sk-aam-",
    b".eyJ",
    b"Say something",
    b"Hello from the fake",
)


class Leak(AssertionError):
    """A secret or a text is where operators or thieves look."""


def search(data: bytes | str, where: str, *, texts: bool = True) -> None:
    """Raises Leak. texts False: where prompts and answers may be, but no credential."""
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    for hint in _HINTS:
        at = raw.find(hint)
        while at >= 0:
            around = raw[max(0, at - 200) : at + 800]
            found = SECRETS.search(around) or (TEXTS.search(around) if texts else None)
            if found is not None:
                raise Leak(f"{found[0]!r} is in {where}: ...{around!r}...")
            at = raw.find(hint, at + len(hint))


def told(status: int, body: bytes | str, path: str) -> None:
    """Searches an answer of the product: no failure names a credential, /metrics names nothing. Raises Leak."""
    if status >= 400 or path == "/metrics":
        search(body, f"the answer {status} of {path}", texts=path == "/metrics")


class Log(logging.Handler):
    """Searches this process's log, at debug, as the product would write it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonLines())
        self._leaks: list[Leak] = []

    def emit(self, record: logging.LogRecord) -> None:
        try:
            search(self.format(record), f"the log of {record.name}")
        except Leak as leak:
            self._leaks.append(leak)

    def check(self) -> None:
        """Raises the first Leak since the last check."""
        leaks, self._leaks = self._leaks, []
        if leaks:
            raise leaks[0]
