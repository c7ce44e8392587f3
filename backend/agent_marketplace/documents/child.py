"""The process that opens one document: bytes on stdin, one JSON object on stdout. It imports nothing of ours.

What it opens may be hostile, so it runs under limits that the kernel keeps (processor time, memory, no file of its own), reads
archives by counting what comes out of them, and takes no XML with a document type (where entities come from).
"""

import importlib
import io
import json
import re
import resource
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from xml.parsers import expat

CPU_S = 10
MEMORY_BYTES = 768 * 1024 * 1024
UNPACKED_BYTES = 150_000_000
MEMBERS = 10_000
TEXT_CHARACTERS = 1_000_000
PAGES = 2_000
COLUMNS = 500

Text = Iterator[str]


class Refused(Exception):
    """A document that is not read; the word says why."""


class Archive:
    """The members of an Office file; what is unpacked in all is bounded, whatever the archive says of itself."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError):
            raise Refused("unreadable") from None
        if len(self._zip.infolist()) > MEMBERS:
            raise Refused("too_large")
        self.names = set(self._zip.namelist())
        self._left = UNPACKED_BYTES

    def parse(
        self,
        name: str,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None],
        words: Callable[[str], None],
    ) -> None:
        """Tells of the elements (local names) and texts of a member; one that is missing has none."""
        if name not in self.names:
            return
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _no_doctype
        parser.StartElementHandler = lambda tag, given: start(
            _local(tag), {_local(key): value for key, value in given.items()}
        )
        parser.EndElementHandler = lambda tag: end(_local(tag))
        parser.CharacterDataHandler = words
        try:
            with self._zip.open(name) as member:
                while piece := member.read(65_536):
                    self._left -= len(piece)
                    if self._left < 0:
                        raise Refused("too_large")
                    parser.Parse(piece, False)
            parser.Parse(b"", True)
        except RuntimeError:  # zipfile's word for a member that is encrypted
            raise Refused("encrypted") from None
        except (
            expat.ExpatError,
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            EOFError,
            ValueError,
            OSError,
        ):
            raise Refused("unreadable") from None


def _no_doctype(*_: object) -> None:
    raise Refused("unreadable")


def _local(tag: str) -> str:
    return tag.rpartition(" ")[2]


def _numbered(names: set[str], pattern: str) -> list[str]:
    found = [(int(m[1]), name) for name in names if (m := re.fullmatch(pattern, name))]
    return [name for _, name in sorted(found)]


def _paragraphs(archive: Archive, name: str) -> str:
    """The text of WordprocessingML or DrawingML: `t` holds words, a paragraph ends a line."""
    out: list[str] = []
    inside = [0]

    def start(tag: str, _: dict[str, str]) -> None:
        if tag == "t":
            inside[0] += 1
        elif tag == "tab":
            out.append("\t")
        elif tag in ("br", "cr"):
            out.append("\n")

    def end(tag: str) -> None:
        if tag == "t":
            inside[0] -= 1
        elif tag == "p":
            out.append("\n")

    archive.parse(name, start, end, lambda words: out.append(words) if inside[0] else None)
    return "".join(out)


def word(archive: Archive) -> Text:
    """The body, then notes."""
    yield _paragraphs(archive, "word/document.xml")
    for name in ("word/footnotes.xml", "word/endnotes.xml"):
        if (notes := _paragraphs(archive, name)).strip():
            yield notes


def slides(archive: Archive) -> Text:
    """Slide by slide."""
    for number, name in enumerate(_numbered(archive.names, r"ppt/slides/slide(\d{1,5})\.xml"), 1):
        yield f"Slide {number}\n{_paragraphs(archive, name).strip()}\n"


def sheets(archive: Archive) -> Text:
    """Sheet by sheet, cells parted by tabs."""
    shared = _shared_strings(archive)
    for number, name in enumerate(_numbered(archive.names, r"xl/worksheets/sheet(\d{1,5})\.xml"), 1):
        yield f"Sheet {number}\n{_rows(archive, name, shared)}\n"


def _shared_strings(archive: Archive) -> list[str]:
    found: list[str] = []
    now: list[str] = []
    inside = [False]

    def start(tag: str, _: dict[str, str]) -> None:
        inside[0] = tag == "t"

    def end(tag: str) -> None:
        inside[0] = False
        if tag == "si":
            found.append("".join(now))
            now.clear()

    archive.parse("xl/sharedStrings.xml", start, end, lambda w: now.append(w) if inside[0] else None)
    return found


def _rows(archive: Archive, name: str, shared: list[str]) -> str:
    lines: list[str] = []
    row: list[str] = []
    cell = {"kind": "", "value": "", "in": ""}

    def start(tag: str, given: dict[str, str]) -> None:
        if tag == "row":
            row.clear()
        elif tag == "c":
            cell.update(kind=given.get("t", ""), value="")
            row.extend([""] * (min(_column(given.get("r", "")), COLUMNS) - len(row)))
        elif tag in ("v", "t"):
            cell["in"] = tag

    def end(tag: str) -> None:
        if tag in ("v", "t"):
            cell["in"] = ""
        elif tag == "c" and len(row) <= COLUMNS:
            row.append(_value(cell["kind"], cell["value"], shared))
        elif tag == "row" and any(row):
            lines.append("\t".join(row))

    def words(text: str) -> None:
        if cell["in"]:
            cell["value"] += text

    archive.parse(name, start, end, words)
    return "\n".join(lines)


def _column(reference: str) -> int:
    """How many columns stand before this cell: `A1` none, `C7` two."""
    letters = re.match(r"[A-Z]{1,3}", reference)
    place = 0
    for letter in letters[0] if letters else "":
        place = place * 26 + ord(letter) - 64
    return max(0, place - 1)


def _value(kind: str, text: str, shared: list[str]) -> str:
    if kind == "s":
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
        text = shared[number] if 0 <= number < len(shared) else ""
    elif kind == "b":
        text = "TRUE" if text == "1" else "FALSE"
    return re.sub(r"\s+", " ", text).strip()


def pdf(data: bytes) -> Text:
    """Page by page."""
    try:
        pypdf = importlib.import_module("pypdf")  # the extra `documents`
    except ImportError:
        raise Refused("needs_extra") from None
    reader = pypdf.PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Refused("encrypted")
    for number, page in enumerate(reader.pages, 1):
        if number > PAGES:
            raise Refused("too_large")
        yield f"Page {number}\n{page.extract_text()}\n"


_OFFICE = (
    ("word/document.xml", "docx", word),
    ("ppt/presentation.xml", "pptx", slides),
    ("xl/workbook.xml", "xlsx", sheets),
)


def kind_of(data: bytes) -> tuple[str, Text]:
    """What the bytes are, whatever their name says, and their text."""
    if b"%PDF-" in data[:1024]:
        return "pdf", pdf(data)
    if data.startswith(b"PK\x03\x04"):
        archive = Archive(data)
        for member, kind, read in _OFFICE:
            if member in archive.names:
                return kind, read(archive)
    raise Refused("old_format" if data.startswith(b"\xd0\xcf\x11\xe0") else "unsupported")


def extract(data: bytes) -> dict[str, object]:
    """The document as JSON: kind, text, how many parts (pages, slides, sheets), and whether it was cut."""
    kind, pieces = kind_of(data)
    text, parts = "", 0
    for piece in pieces:
        text += piece if not text else f"\n{piece}"
        parts += 1
        if len(text) > TEXT_CHARACTERS:
            break
    text = "".join(c for c in text if c >= " " or c in "\n\t").encode("utf-8", "replace").decode()
    return {
        "kind": kind,
        "text": text[:TEXT_CHARACTERS].strip(),
        "parts": parts,
        "cut": len(text) > TEXT_CHARACTERS,
    }


def answer_to(data: bytes) -> dict[str, object]:
    """The extract, or `refused` with the reason."""
    try:
        return extract(data)
    except Refused as refusal:
        return {"refused": str(refusal)}
    except (MemoryError, RecursionError):
        return {"refused": "too_large"}
    except Exception:  # noqa: BLE001 - whatever a damaged file does to a library: this process ends with it
        return {"refused": "unreadable"}


def main() -> None:
    """Reads, answers, ends."""
    data = sys.stdin.buffer.read()
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.stdout.write(json.dumps(answer_to(data)))


if __name__ == "__main__":
    main()
