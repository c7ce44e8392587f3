"""Locks that the kernel lets go of however a process ends."""

import sys
from typing import IO, Any


def lock(file: IO[Any]) -> None:
    """Locks an open file for the process's life, or until it is closed. Raises BlockingIOError if another one has it.

    Without effect on Windows.
    """
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
