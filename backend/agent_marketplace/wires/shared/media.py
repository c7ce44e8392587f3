"""The size of a picture and the length of a recording, read off the head of base64.

Both are what a provider bills by, so a head that a provider could read in another way than we do has no size here: the caller
is then held for the most that its model takes.
"""

import base64
import binascii

_HEAD = 65_536
_PCM = (1, 3)
_URL_SAFE = str.maketrans("-_", "+/", "\r\n")
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_NO_FRAMES = (0xC4, 0xC8, 0xCC)


def image_size(data: str) -> tuple[int, int] | None:
    """(width, height) in pixels from the header of a base64 PNG, JPEG or WebP; None where it can't be read.

    A GIF tells none: its frames may be larger than the screen that its header names, and decoders then enlarge the picture.
    """
    head = _head(data)
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR" and len(head) >= 24:
        size = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    elif head.startswith(b"RIFF") and head[8:16] == b"WEBPVP8X" and len(head) >= 30:
        size = 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    elif head.startswith(b"RIFF") and head[8:16] == b"WEBPVP8 " and len(head) >= 30:
        size = int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    elif head.startswith(b"\xff\xd8"):
        return _jpeg_size(head)
    else:
        return None
    return size if 0 < size[0] <= 65_535 and 0 < size[1] <= 65_535 else None


_MAGIC = (("iVBORw0KGgo", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"))


def kind_of(data: str) -> str:
    """A picture's media type by the first bytes of its base64, "" where they tell nothing."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    return "image/webp" if data.startswith("UklGR") and data[10:16].endswith("XRUJQ") else ""


def type_of(said: str, data: str) -> str:
    """As `kind_of`; what was said of the picture, as it is usually written, where its bytes tell nothing. Clients guess it from a
    file's name, and Claude refuses a picture that is not what it is said to be."""
    kind = kind_of(data) or said.lower()
    return "image/jpeg" if kind == "image/jpg" else kind


def wav_ms(data: str) -> int | None:
    """Length of a base64 WAV of plain samples, milliseconds rounded up; None for anything else: compressed sound has no length
    that its size tells."""
    head = _head(data)
    if len(head) < 44 or head[:4] != b"RIFF" or head[8:16] != b"WAVEfmt ":
        return None
    form, channels = int.from_bytes(head[20:22], "little"), int.from_bytes(head[22:24], "little")
    rate, bits = int.from_bytes(head[24:28], "little"), int.from_bytes(head[34:36], "little")
    if (
        form not in _PCM
        or not 1 <= channels <= 16
        or not 8_000 <= rate <= 384_000
        or bits not in (8, 16, 24, 32, 64)
    ):
        return None
    size = len(data) * 3 // 4
    return -(-size * 8_000 // (rate * channels * bits))


def base64_text(data: str) -> str | None:
    """What a base64 text says; None where it is no UTF-8, or where decoders would differ in what they read."""
    clean = data.translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(clean + "=" * (-len(clean) % 4), validate=True).decode()
    except ValueError:  # of either decoder
        return None


def _head(data: str) -> bytes:
    """The first bytes; empty where a lenient decoder and a strict one would read different ones."""
    clean = data[:_HEAD].translate(_URL_SAFE)
    end = len(clean) if len(data) <= _HEAD else len(clean) // 4 * 4
    try:
        return base64.b64decode(clean[:end] + "=" * (-end % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF:  # a fill byte in front of a marker
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES:
            height, width = (
                int.from_bytes(head[at + 5 : at + 7], "big"),
                int.from_bytes(head[at + 7 : at + 9], "big"),
            )
            return (width, height) if width and height else None
        else:
            at += 2 + max(2, int.from_bytes(head[at + 2 : at + 4], "big"))
    return None
