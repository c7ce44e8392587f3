"""What a command that takes its time shows on a terminal meanwhile: a bar where the total is known, the time, words. Pipes see nothing."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_TICK_S = 0.2
_CELLS = 24


def line(words: str, done: int, total: int, elapsed_s: float) -> str:
    """One state of the bar; total 0 = unknown."""
    clock = f"{int(elapsed_s) // 60}:{int(elapsed_s) % 60:02d}"
    if total <= 0:
        return f"{words} ... {clock}"
    share = min(max(done / total, 0.0), 1.0)
    filled = int(share * _CELLS)
    return f"{words} [{'#' * filled}{'.' * (_CELLS - filled)}] {int(share * 100):3d} % {clock}"


class Progress:
    """Told by the work how far it is; draws by itself. Without an output it is silent."""

    def __init__(self, words: str, out: TextIO | None) -> None:
        self._words = words
        self._out = out
        self._state = (0, 0)
        self._began = time.monotonic()
        self._over = threading.Event()
        self._drawing = threading.Lock()

    def tell(self, done: int, total: int) -> None:
        """How much is done, of how much (0: unknown). Cheap: call it as often as you like."""
        self._state = (done, total)

    def say(self, words: str) -> None:
        """A line of its own above the bar, on standard output."""
        with self._drawing:
            self._clear()
            print(words, flush=True)

    def run(self) -> None:
        """Draws until `end`."""
        while not self._over.wait(_TICK_S):
            self.draw()

    def end(self) -> None:
        """Leaves nothing on the screen."""
        self._over.set()
        with self._drawing:
            self._clear()

    def draw(self) -> None:
        """The state of now, in the place of the last one; nothing after `end`."""
        with self._drawing:
            if self._out is not None and not self._over.is_set():
                self._out.write(f"\r\x1b[K{line(self._words, *self._state, time.monotonic() - self._began)}")
                self._out.flush()

    def _clear(self) -> None:
        if self._out is not None:
            self._out.write("\r\x1b[K")
            self._out.flush()


@contextmanager
def progress(words: str) -> Iterator[Progress]:
    """Says on a terminal what is going on while the block runs."""
    if not sys.stderr.isatty():
        yield Progress(words, None)
        return
    shown = Progress(words, sys.stderr)
    drawing = threading.Thread(target=shown.run, daemon=True)
    drawing.start()
    try:
        yield shown
    finally:
        shown.end()
        drawing.join()
