"""Opens a document in a process of its own (child.py), with a limit on time, memory and what comes back."""

import asyncio
import contextlib
import sys
from pathlib import Path

import msgspec

from agent_marketplace.errors import MarketplaceError, PayloadTooLarge

MAX_BYTES = 20_000_000
_WALL_S = 20.0
_ANSWER_BYTES = 8_000_000
_AT_ONCE = 2
_CHILD = Path(__file__).with_name("child.py")
_WORDS = {
    "unreadable": "The file is damaged, or it is not what its name says.",
    "encrypted": "The file is protected by a password.",
    "too_large": "The file holds too much to be read here.",
    "old_format": "This is the format of before 2007: save it as .docx, .xlsx or .pptx.",
    "unsupported": "Only PDF, .docx, .xlsx and .pptx are read.",
    "needs_extra": "This server does not read PDF: its operator can install the extra `documents`.",
    "no_text": "There is no text in the file, for example because its pages are pictures.",
}


class DocumentRefused(MarketplaceError):
    """A document of which there is no text (422); `reason` is one word for programs."""

    status = 422
    code = "unreadable_document"


class Extract(msgspec.Struct, frozen=True):
    """kind: pdf, docx, xlsx or pptx; parts: pages, slides or sheets; cut: more text than is given back."""

    kind: str
    text: str
    parts: int
    cut: bool


class _Answer(msgspec.Struct):
    kind: str = ""
    text: str = ""
    parts: int = 0
    cut: bool = False
    refused: str = ""


def _refusal(reason: str) -> DocumentRefused:
    return DocumentRefused(_WORDS.get(reason, _WORDS["unreadable"]), extra={"reason": reason})


class DocumentReader:
    """Opens a few documents at once; the others wait for their turn. `wall_s`: seconds one may take."""

    def __init__(self, wall_s: float = _WALL_S) -> None:
        self._wall_s = wall_s
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def read(self, data: bytes) -> Extract:
        """The text of a document. Raises DocumentRefused, PayloadTooLarge."""
        if len(data) > MAX_BYTES:
            raise PayloadTooLarge(f"Documents of at most {MAX_BYTES // 1_000_000} MB are read")
        async with self._turns:
            answer = await _ask_child(data, self._wall_s)
        if answer.refused:
            raise _refusal(answer.refused)
        if not answer.text:
            raise _refusal("no_text")
        return Extract(answer.kind, answer.text, answer.parts, answer.cut)


async def _ask_child(data: bytes, wall_s: float) -> _Answer:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(_CHILD),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env={},
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        async with asyncio.timeout(wall_s):
            with contextlib.suppress(ConnectionError):  # it ended early: its answer, or none, says why
                child.stdin.write(data)
                await child.stdin.drain()
                child.stdin.close()
            said = await _all_of(child.stdout)
    except TimeoutError:
        return _Answer(refused="too_large")
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    try:
        return msgspec.json.decode(said, type=_Answer)
    except msgspec.DecodeError:  # killed by a limit before it could answer
        return _Answer(refused="too_large")


async def _all_of(stream: asyncio.StreamReader) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := await stream.read(65_536):
        size += len(piece)
        if size > _ANSWER_BYTES:
            return b""
        pieces.append(piece)
    return b"".join(pieces)
